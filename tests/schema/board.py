"""Runs in MicroPython: reads lines `<message key> <payload in hex>`, prints the verdict on each."""

import sys

from schema import wire
from schema.message import Invalid
from schema.messages import MESSAGES


def verdict(key, payload):
    try:
        value = wire.decode(MESSAGES[key], payload)
    except Invalid as error:
        return "invalid " + error.field
    if not isinstance(value, str):
        try:
            if wire.loads(wire.pack(value)) != value:
                return "changed by msgpack"
        except Invalid as error:
            return "not packed: " + str(error)
    return "valid"


with open(sys.argv[1]) as cases:
    for line in cases:
        key, _, payload = line.rstrip("\n").partition(" ")
        try:
            print(verdict(key, bytes.fromhex(payload)))
        except Exception as error:
            print("escaped", type(error).__name__, error)
