"""`time` of the virtual board. The ticks wrap at 30 bits, as those of a board do: after 18 minutes, or 12 days."""

from esp_node.virtual import clock
from esp_node.virtual.clock import host

_MASK = 0x3FFFFFFF
_HALF = 0x20000000

gmtime = host.gmtime
localtime = host.localtime
mktime = host.mktime


def ticks_us():
    return clock.now() & _MASK


def ticks_ms():
    return clock.now() // 1000 & _MASK


ticks_cpu = ticks_us


def ticks_add(ticks, delta):
    return (ticks + delta) & _MASK


def ticks_diff(new, old):
    return ((new - old + _HALF) & _MASK) - _HALF


def sleep_us(time_us):
    clock.sleep(time_us)


def sleep_ms(time_ms):
    clock.sleep(int(time_ms * 1000))


def sleep(time_s):
    clock.sleep(int(time_s * 1000000))


def time_ns():
    return clock.unix_us() * 1000


def time():
    return clock.unix_us() // 1000000


def __getattr__(name):
    # What CPython's own modules ask of `time` once this one stands in its place.
    return getattr(host, name)


if __name__ == "time":  # found on the path of a live node
    from esp_node.virtual import board

    board.live()
