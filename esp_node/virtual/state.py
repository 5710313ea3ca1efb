"""What outlasts a reset: its cause and the RTC's memory. A live board keeps them in files, `cause` and `rtc`."""

import os

PWRON = 1
cause = PWRON
memory = b""
unique_id = b"\x24\x6f\x28\x00\x00\x01"
bite = ""  # what a shell does when the watchdog's time is over
_folder = None


def power_on(folder=None):
    """Take over what a folder of a live board (ends in a slash) holds; None: no files, all is as new."""
    global _folder, cause, memory, bite
    _folder = folder
    cause, memory = PWRON, b""
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
    except OSError:
        if cause == PWRON:
            _write("rtc", b"")


def remember(data):
    """Set the RTC's memory."""
    global memory
    memory = data
    _write("rtc", data)


def end(why):
    """A reset comes now."""
    global cause
    cause = why
    _write("cause", b"%d" % why)


def _write(name, data):
    if _folder is not None:
        with open(_folder + name, "wb") as file:
            file.write(data)
