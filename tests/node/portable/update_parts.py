"""What an update reads, piece by piece: blocks and manifests, whole, damaged and hostile."""

import json
import os
import random
import sys

from esp_node.fetch import block
from esp_node.files import digest_of, is_hash
from esp_node.manifest import Refused, entries, is_name
from schema.pack import pack

HASH = "0123456789abcdef" * 4
FILE = f"/tmp/farmhand-update-{int.from_bytes(os.urandom(6), 'big')}"


def reads(payload):
    try:
        return block(payload)
    except ValueError:
        return None


# Each length and offset takes another form in msgpack.
for size in (0, 1, 255, 256, 2048, 70000 if sys.implementation.name == "cpython" else 1000):
    for offset in (0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53 - 1):
        payload = pack({"sha256": HASH, "offset": offset, "total": offset + size, "data": b"x" * size})
        digest, at, total, data = block(payload)
        assert (digest, at, total, bytes(data)) == (HASH, offset, offset + size, b"x" * size)
whole = pack({"data": b"block", "total": 500, "offset": 300, "sha256": HASH})
assert bytes(block(whole)[3]) == b"block", "in any order"
for length in range(len(whole)):
    assert reads(whole[:length]) is None, length
assert reads(whole + b"x") is None
for wrong in (
    {"sha256": 1},
    {"offset": b"x"},
    {"offset": None},
    {"total": "9"},
    {"total": -1},
    {"data": 5},
    {"data": []},
):
    value = {"sha256": HASH, "offset": 0, "total": 5, "data": b"x"}
    value.update(wrong)
    assert reads(pack(value)) is None, wrong
random.seed(3)
for _ in range(3000):
    damaged = bytearray(whole)
    damaged[random.getrandbits(16) % len(damaged)] = random.getrandbits(8)
    reads(bytes(damaged))  # whatever it is, no other error


def listed(text):
    with open(FILE, "w") as file:
        file.write(text)
    found = list(entries(FILE))
    for number in range(len(found)):  # whoever begins at the end of one gets the rest
        assert list(entries(FILE, found[number][3])) == found[number + 1 :]
    return [entry[:3] for entry in found]


def refusal(text):
    try:
        return f"taken: {listed(text)}"
    except Refused as refused:
        return str(refused)


# Manifests as people and programs write JSON: compact, indented, the version at either end, none or many files.
many = {f"esp_node/sensors/s{n}.mpy": [HASH, n * 1000] for n in range(25)}
expected = sorted((name, digest, size) for name, (digest, size) in many.items())
compact = '{"version":"0.2.0","files":' + json.dumps(many).replace(" ", "") + "}"
assert sorted(listed(compact)) == expected
assert sorted(listed(compact.replace(",", ",\n    ").replace("{", "{\r\n\t").replace("[", "[ "))) == expected
assert sorted(listed('{"files": ' + json.dumps(many) + ', "version": "0.2.0"}')) == expected
assert listed('{"version": "0.2.0", "files": {}}') == []
for text in (
    '{"files": {"a.py": ["',
    "[1, 2]",
    '{"files": {"a.py": [5, "' + HASH + '"]}}',
    '{"files": {"a.py": ["x", 5]}}',
):
    assert refusal(text).startswith("manifest: "), refusal(text)
assert refusal('{"files": {"a.py": ["' + HASH + '", -5]}}').startswith("manifest: cannot be read at ")
for name in (
    "../a.py",
    "/a.py",
    "a/../b.py",
    "a//b.py",
    "a/.b.py",
    "main.py",
    "config.json",
    "a.txt",
    ".py",
    "a b.py",
    "ä.py",
):
    assert not is_name(name), name
    assert refusal(json.dumps({"version": "1", "files": {name: [HASH, 5]}})).startswith("manifest: "), name
for name in ("boot/a.py", "esp_node/__init__.mpy", "umqtt/simple.mpy", "esp_node/sensors/mh-z19B.py"):
    assert is_name(name), name

# sha256 of a file, copied or not, or of none.
with open(FILE, "wb") as file:
    file.write(b"abc" * 1000)
known = "328de8f1895f8bb09f6e6b4c2012ef2b2a6f067cd002794b750aa040a6f6d8bd"
assert is_hash(known)
assert not is_hash(known.upper())
assert digest_of(FILE, FILE + ".copy") == digest_of(FILE) == digest_of(FILE + ".copy") == known
assert digest_of(FILE + ".none", FILE + ".copy") is None
os.remove(FILE)
os.remove(FILE + ".copy")
print("ok")
