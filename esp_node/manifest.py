"""The manifest of an update, {"version": text, "files": {"esp_node/node.mpy": [sha256, bytes], ...}}, read entry by
entry: a parsed one would not fit into the heap. Names are relative to the slot."""

import json
import os
import sys

from esp_node.files import is_hash

_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./"


class Refused(Exception):
    """An update that cannot be; the text says why."""


def entries(path):
    """Yields (name, sha256, size) of each file in the manifest `path`. Refused when it is none, or names a file that
    an update must not write."""
    text = ""
    with open(path) as file:
        while True:
            while "]" not in text:
                more = file.read(64)
                if not more:
                    if "[" in text:
                        raise Refused("manifest: is truncated")
                    return
                text += more
            entry, _, text = text.partition("]")
            yield _entry(entry[entry.rfind("{") + 1 :].lstrip(", \r\n\t"))


def _entry(text):
    try:
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
