"""The manifest of an update, {"version": text, "files": {"esp_node/node.mpy": [sha256, bytes], ...}}, read entry by
entry: a parsed one would not fit into the heap. Names are relative to the slot."""

import json
import os
import sys

from esp_node.files import is_hash

_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./"


class Refused(Exception):
    """An update that cannot be; the text says why."""


def entries(path, at=0):
    """Yields (name, sha256, size, where the next one begins) of each file in the manifest `path`, from the byte `at`
    on. Refused when it is none, or names a file that an update must not write."""
    text = b""
    with open(path, "rb") as file:
        file.seek(at)
        while True:
            while b"]" not in text:
                more = file.read(64)
                if not more:
                    if b"[" in text:
                        raise Refused("manifest: is truncated")
                    return
                text += more
            entry, _, text = text.partition(b"]")
            at += len(entry) + 1
            name, digest, size = _entry(entry[entry.rfind(b"{") + 1 :].lstrip(b", \r\n\t"))
            yield name, digest, size, at


def _entry(raw):
    text = ""
    try:
        text = str(raw, "utf-8")
        for name, (digest, size) in json.loads("{" + text + "]}").items():
            if not is_name(name):
                raise Refused("manifest: the name %s is not allowed" % name[:64])
            if is_hash(digest) and type(size) is int and size >= 0:
                return name, digest, size
    except (ValueError, TypeError):
        pass
    raise Refused("manifest: cannot be read at " + text[:40])


def is_name(name):
    """Whether an update may write the file `name`, relative to its slot: a module below it, and not main.py."""
    if not 3 < len(name) <= 96 or name == "main.py" or not (name.endswith(".mpy") or name.endswith(".py")):
        return False
    if name.strip(_PLAIN):
        return False
    for part in name.split("/"):
        if not part or part.startswith("."):
            return False
    return True


def other():
    """The slot that is not in use."""
    return "lib" if sys.path[0] == "lib2" else "lib2"


def make_folders(path):
    """Make the folders that the file `path` needs."""
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:  # it is there
            pass
        at = path.find("/", at + 1)
