"""The node's log: the last lines in a small ring, every line also on the console, and in a file where one is
configured (logfile.py)."""

_LINES = 10
_WIDTH = 100
_SENT = 1000
_ORDER = "debug info warning error critical"
_ring = []
_least = 0  # where in _ORDER the lines begin that are kept
listener = None  # called with (level, text) of each line, when the node can pass it on
file = None  # a logfile.File


def log(level, text):
    """One line: `level` as in Python's logging (debug info warning error critical)."""
    if _ORDER.find(level) < _least:
        return
    line = level + ": " + text[:_WIDTH]
    print(line)
    _ring.append(line)
    if len(_ring) > _LINES:
        _ring.pop(0)
    if file:
        file.add(level, text)
    if listener:
        listener(level, text[:_SENT])


def least(level):
    """Drop lines below `level` from now on, everywhere."""
    global _least
    _least = _ORDER.find(level)


def last():
    """The last lines (list of str), oldest first."""
    return list(_ring)
