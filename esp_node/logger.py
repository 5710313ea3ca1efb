"""The node's log: the last lines in a small ring, every line also on the console."""

_LINES = 10
_WIDTH = 100
_ring = []
listener = None  # called with (level, text) of each line, when the node can pass it on


def log(level, text):
    """One line: `level` as in Python's logging (debug info warning error critical)."""
    line = level + ": " + text[:_WIDTH]
    print(line)
    _ring.append(line)
    if len(_ring) > _LINES:
        _ring.pop(0)
    if listener:
        listener(level, text)


def last():
    """The last lines (list of str), oldest first."""
    return list(_ring)
