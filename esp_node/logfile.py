"""The log in a file, rotated to `.1`: at most twice `max_len` bytes of flash. The API is a subset of `logging`:

    initialize_logging("node.log", 16384)
    get_logger().warning("%s: %d retries", name, count)
    close_logging()

Lines wait in the heap until there are 512 bytes of them or 30 s have passed, because each write wears the flash; an
error is written at once. A disk that fails costs lines, which are counted, and nothing else.
"""

import os
import sys
import time

from esp_node import logger
from esp_node.clock import mono_ms, unix_ms

DEBUG, INFO, WARNING, ERROR, CRITICAL = 10, 20, 30, 40, 50
_NAMES = ("debug", "info", "warning", "error", "critical")
_HELD_BYTES = 512
_HELD_MS = 30000
_SHORTEST = 64


class File:
    """Where log() adds its lines. Call tick() every few seconds; `lost` counts the lines that the disk did not take."""

    def __init__(self, path, max_len):
        if type(max_len) is not int or max_len < _SHORTEST:
            raise ValueError("max_len: must be a whole number of bytes from %d, not %r" % (_SHORTEST, max_len))
        self.lost = 0
        self._path = path
        self._max_len = max_len
        self._held = bytearray()
        self._lines = 0
        self._since = 0
        for name in (path, path + ".1"):  # of a time when more was allowed
            if _size(name) > max_len:
                os.remove(name)

    def add(self, level, text):
        """One line of the log."""
        line = _cut("%s %s: %s" % (_stamp(), level, text.replace("\n", "\n  ")), self._max_len - 1)
        if len(self._held) + len(line) > min(_HELD_BYTES, self._max_len):
            self.flush()
        if not self._held:
            self._since = mono_ms()
        self._held.extend(line)
        self._lines += 1
        if level in ("error", "critical") or len(self._held) >= _HELD_BYTES:
            self.flush()
        else:
            self.tick()

    def tick(self):
        """Write out what has waited long enough."""
        if self._held and mono_ms() - self._since >= _HELD_MS:
            self.flush()

    def flush(self):
        """Write out all that waits. Never raises for a fault of the disk."""
        if self._held:
            try:
                if _size(self._path) + len(self._held) > self._max_len:
                    self._rotate()
                with open(self._path, "ab") as file:
                    file.write(self._held)
            except OSError:
                self.lost += self._lines
            self._held = bytearray()
            self._lines = 0

    def _rotate(self):
        try:
            os.remove(self._path + ".1")
        except OSError:  # there is none yet
            pass
        try:
            os.rename(self._path, self._path + ".1")
        except OSError:
            if _size(self._path):
                raise


class Logger:
    """The one logger; its lines take the way of log()."""

    def setLevel(self, level):
        """Drop lines below `level` (a number as in `logging`, or its name), of everybody."""
        if type(level) is int:
            level = _NAMES[min(max(level + 9, DEBUG) // 10, 5) - 1]
        level = level.lower()
        if level not in _NAMES:
            raise ValueError("level: must be one of " + ", ".join(_NAMES))
        logger.least(level)

    def debug(self, text, *values):
        _log("debug", text, values)

    def info(self, text, *values):
        _log("info", text, values)

    def warning(self, text, *values):
        _log("warning", text, values)

    def error(self, text, *values):
        _log("error", text, values)

    def critical(self, text, *values):
        _log("critical", text, values)

    def exception(self, text, *values, exc_info=None):
        """An error with the traceback of `exc_info` (an exception), or of the one that is being handled."""
        error = exc_info or (sys.exc_info()[1] if hasattr(sys, "exc_info") else None)
        _log("error", text + "%s", values + ("" if error is None else "\n" + _traceback(error),))


_LOGGER = Logger()


def initialize_logging(file, max_len):
    """Write the log to the file `file` from now on; when `max_len` bytes are in it, it becomes `<file>.1`. Returns what
    writes it, whose `lost` counts the lines that the disk did not take."""
    close_logging()
    logger.file = File(file, max_len)
    return logger.file


def get_logger():
    """The logger; without initialize_logging its lines go to the console alone."""
    return _LOGGER


def close_logging():
    """Write out what waits, and write no more."""
    if logger.file:
        logger.file.flush()
        logger.file = None


def _log(level, text, values):
    logger.log(level, text % values if values else text)


def _traceback(error):
    if hasattr(sys, "print_exception"):
        import io

        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue().rstrip()
    import traceback

    return "".join(traceback.format_exception(error)).rstrip()


def _stamp():
    now = unix_ms()
    if not now:
        return "+%d" % (mono_ms() // 1000)  # seconds since the start: the clock is not set
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % tuple(time.gmtime((now - _epoch_ms()) // 1000)[:6])


def _epoch_ms():
    return 0 if time.gmtime(0)[0] == 1970 else 946684800000


def _cut(text, most):
    # Whole characters: a cut must not leave half of one behind.
    raw = text.encode()
    if len(raw) > most:
        while raw[most] & 0xC0 == 0x80:
            most -= 1
        raw = raw[:most]
    return raw + b"\n"


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0
