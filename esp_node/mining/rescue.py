"""Frees a bus whose SDA is held low. Loaded for that."""

import time

_HALF_US = 5


def free(scl, sda):
    """Nine clocks on the pin `scl`, then a stop: a slave that missed some clocks of a read lets go of `sda`."""
    from machine import Pin

    clock, data = Pin(scl, Pin.OPEN_DRAIN, value=1), Pin(sda, Pin.OPEN_DRAIN, value=1)
    for _ in range(9):
        for level in (0, 1):
            clock.value(level)
            time.sleep_us(_HALF_US)
    for line, level in ((clock, 0), (data, 0), (clock, 1), (data, 1)):
        line.value(level)
        time.sleep_us(_HALF_US)
