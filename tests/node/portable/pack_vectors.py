"""Runs on CPython and MicroPython: argument is a file of lines [value, hex of PyPI msgpack's
bytes]; ours must be the same, both ways."""

import binascii
import json
import sys

from schema.pack import pack
from schema.unpack import unpack

count = 0
with open(sys.argv[1]) as file:
    for line in file:
        value, expected = json.loads(line)
        expected = binascii.unhexlify(expected)
        assert unpack(expected) == value, line
        ours = pack(value)
        # MicroPython's dicts keep no order: an object of several keys is compared as a value.
        assert ours == expected or (
            b"ordered" not in expected and len(ours) == len(expected) and unpack(ours) == value
        ), line
        count += 1
assert count
print("ok")
