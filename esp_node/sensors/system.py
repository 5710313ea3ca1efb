"""The node itself: free heap, time since its start, why it started, and free flash; None for what it cannot tell."""

import gc
import os

from esp_node.clock import mono_ms

NAME = "system"
FIELDS = ("mem_free", "uptime_s", "reset_cause", "flash_free")
UNITS = ("B", "s", "", "B")
DIGITS = (0, 0, None, 0)
_CAUSES = ("PWRON", "HARD", "WDT", "DEEPSLEEP", "SOFT", "BROWN_OUT")


class System:
    def __init__(self):
        self._cause = _cause()

    def get(self):
        """(bytes, s since the start (CPython: of the host), "pwron", "hard", "wdt", "deepsleep", "soft" ..., bytes)"""
        free = gc.mem_free() if hasattr(gc, "mem_free") else None
        return free, mono_ms() // 1000, self._cause, _flash_free()


def _cause():
    try:
        import machine

        cause = machine.reset_cause()
    except (ImportError, AttributeError):
        return None
    for name in _CAUSES:
        if getattr(machine, name + "_RESET", None) == cause:
            return name.lower()
    return str(cause)


def _flash_free():
    try:
        status = os.statvfs("/" if hasattr(gc, "mem_free") else ".")
        return status[0] * status[3]
    except (AttributeError, OSError):
        return None


def create(node, options):
    from esp_node.common import take

    take(options, {})
    return System()
