"""Files and their sha256, for an update. Loaded with it."""

import binascii
import hashlib
import os


def is_hash(text):
    """Whether `text` is a sha256 in 64 lower-case hex digits."""
    return isinstance(text, str) and len(text) == 64 and not text.strip("0123456789abcdef")


def digest_of(path, copy=None):
    """sha256 (hex) of a file, copied to the file `copy` on the way if that is given; None when there is no file."""
    seen = hashlib.sha256()
    piece = bytearray(256)
    target = None
    try:
        with open(path, "rb") as source:
            if copy:
                target = open(copy, "wb")
            while True:
                count = source.readinto(piece)
                if not count:
                    return str(binascii.hexlify(seen.digest()), "ascii")
                view = memoryview(piece)[:count]
                seen.update(view)
                if target:
                    target.write(view)
    except OSError:
        if target:
            raise
    finally:
        if target:
            target.close()


def size_of(path):
    """Bytes of a file, or None when there is none."""
    try:
        return os.stat(path)[6]
    except OSError:
        return None


def failure(error):
    """What to report of an exception."""
    if isinstance(error, OSError):
        return "no room on flash" if error.args and error.args[0] == 28 else "flash: %s" % error
    return str(error)
