"""What outlasts a reset: its cause, the RTC's memory and its time. A live board keeps them in files, `cause`, `rtc` and
`clock`."""

import os

PWRON = 1
cause = PWRON
memory = b""
ahead_us = 0  # of a live board's wall clock over the host's
unique_id = b"\x24\x6f\x28\x00\x00\x01"
bite = ""  # what a shell does when the watchdog's time is over
_folder = None


def power_on(folder=None):
    """Take over what a folder of a live board (ends in a slash) holds; None: no files, all is as new."""
    global _folder, cause, memory, ahead_us, bite
    _folder = folder
    cause, memory, ahead_us = PWRON, b"", 0
    if folder is None:
        return
    bite = "echo 3 > '%scause'; echo 'watchdog: not fed in time' >&2; kill -ALRM $PPID" % folder
    try:
        with open(folder + "cause") as file:
            cause = int(file.read())
        # Who dies without a cause lost its power: it finds none, and no memory.
        os.remove(folder + "cause")
        with open(folder + "rtc", "rb") as file:
            memory = file.read()
        with open(folder + "clock") as file:
            ahead_us = int(file.read())
    except OSError:
        if cause == PWRON:
            _write("rtc", b"")
            _write("clock", b"0")


def remember(data):
    """Set the RTC's memory."""
    global memory
    memory = data
    _write("rtc", data)


def set_ahead(time_us):
    """The wall clock is so much before the host's."""
    global ahead_us
    ahead_us = time_us
    _write("clock", b"%d" % time_us)


def end(why):
    """A reset comes now."""
    global cause
    cause = why
    _write("cause", b"%d" % why)


def _write(name, data):
    if _folder is not None:
        with open(_folder + name, "wb") as file:
            file.write(data)
