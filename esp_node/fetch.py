"""Pulls one blob into a file, block by block: each answer of the commander is written and the next block asked for.
Loaded while a blob is on its way."""

import binascii
import gc
import hashlib
import os

from esp_node.clock import mono_ms

_ASK_AGAIN_MS = 4000
_ASK_AGAIN_MOST_MS = 60000
_ATTEMPTS = 3
_BLOCK_MOST = 3072  # the link takes 4096 bytes, with what is around them
_BLOCK_LEAST = 256


def proceed(node):
    """Set node.fetch to what slot.py asked for."""
    node.fetch = Fetch(node, *node.job.pop("fetch"))
    return True


class Fetch:
    """One blob under way, into the file `part` and then to `path`. Call step() in each pass of the loop, and
    take(payload) with each blob/data. Ends by setting node.fetch to None, and node.wanted when it failed."""

    def __init__(self, node, part, name, digest, size, path):
        self._node = node
        self._part = part
        self._name = name
        self._digest = digest
        self._size = size
        self._path = path
        self._session = None
        self._fault = None
        self._open()

    def step(self):
        """Ask again what was not answered, and notice the end. True when there is more to do at once."""
        try:
            if self._at < self._size and not self._fault:
                return self._ask_again()
            self.close()
            if not self._fault:
                if str(binascii.hexlify(self._hash.digest()), "ascii") == self._digest:
                    os.rename(self._part, self._path)
                    self._node.fetch = None
                    return True
                job = self._node.job
                job["tried"] += 1
                if job["tried"] < _ATTEMPTS:
                    self._open()
                    return True
                self._fault = "its sha256 is wrong"
        except OSError as error:
            self._fault = error
        self._fail()

    def take(self, payload):
        """The payload (bytes) of a blob/data: when it is the block that was asked for, write it, ask for the next."""
        try:
            digest, at, total, data = block(payload)
        except ValueError:  # not from our commander: what was asked for will be asked again
            return
        if digest != self._digest or at != self._at or self._fault or not self._file:
            return
        if total != self._size:
            self._fault = "its length is %d" % total if total else "the commander has no such file"
        elif 0 < len(data) <= total - at:
            self._hash.update(data)
            try:
                self._file.write(data)
            except OSError as error:
                self._fault = error
            self._at += len(data)
            self._pause = _ASK_AGAIN_MS
            if self._at < total:
                self._ask()

    def close(self):
        """Leave no open file behind."""
        if self._file:
            self._file.close()
            self._file = None

    def _open(self):
        self._at = 0
        self._hash = hashlib.sha256()
        self._file = open(self._part, "wb")
        self._pause = _ASK_AGAIN_MS
        self._asked = None

    def _fail(self):
        node, why = self._node, self._fault
        if isinstance(why, OSError):
            from esp_node.files import failure

            why = failure(why)
        try:
            os.remove(self._part)
        except OSError:
            pass
        node.fetch = None
        node.wanted = (node.job["rev"], node.job["data"], "%s: %s" % (self._name, why))

    def _ask_again(self):
        link = self._node.link
        if link.connected:
            if self._session != link.reconnects:
                try:
                    link.subscribe(self._node.prefix + "blob/data")
                except Exception as error:  # of the network; the next connection tries again
                    link.drop(error)
                    return
                self._session = link.reconnects
                self._asked = None
            if self._asked is None:
                self._ask()
            elif mono_ms() - self._asked > self._pause:
                self._pause = min(self._pause * 2, _ASK_AGAIN_MOST_MS)
                self._ask()

    def _ask(self):
        self._asked = mono_ms()
        gc.collect()
        size = min(_BLOCK_MOST, max(_BLOCK_LEAST, gc.mem_free() // 16)) if hasattr(gc, "mem_free") else _BLOCK_MOST
        self._node.send("blob/get", {"sha256": self._digest, "offset": self._at, "size": size})


def block(payload):
    """(sha256 str, offset, total, data as a memoryview of `payload`) of a blob/data: a msgpack map of exactly these.
    ValueError for anything else."""
    found = {}
    try:
        if payload[0] != 0x84:
            raise ValueError
        at = 1
        for _ in range(4):
            key, at = _item(payload, at)
            found[str(key, "ascii")], at = _item(payload, at)
        if at != len(payload):
            raise ValueError
        # Sums and lengths, so that a number where bytes belong is refused and the other way round.
        return str(found["sha256"], "ascii"), found["offset"] + 0, found["total"] + 0, found["data"][0:]
    except (IndexError, KeyError, TypeError):
        raise ValueError


def _item(raw, at):
    code = raw[at]
    at += 1
    width = 1 << (code & 3)
    if code < 0x80:
        return code, at
    if 0xA0 <= code < 0xC0:
        size = code & 0x1F
    elif 0xC4 <= code <= 0xC6 or 0xD9 <= code <= 0xDB:
        width = 1 << (code - (0xC4 if code < 0xD0 else 0xD9))
        size = int.from_bytes(raw[at : at + width], "big")
        at += width
    elif 0xCC <= code <= 0xCF:
        return int.from_bytes(raw[at : at + width], "big"), at + width
    else:
        raise ValueError
    if at + size > len(raw):
        raise ValueError
    return memoryview(raw)[at : at + size], at + size
