"""A board's end of its USB serial port: a pseudo-terminal whose other end a program opens, sets to a speed, and closes.

The master of a pseudo-terminal shows the settings of its other end, and hangs up while nobody has that open. There is
no event for opening it, so that is looked for; a speed that is left behind tells of an opening that was too short to
be seen.
"""

import asyncio
import os
import select
import termios
import tty

LOOK_S = 0.02
READ_BYTES = 65_536
SPEED = 5  # place in the list of termios
TOUCH = termios.B1200


class Closed(Exception):
    """The program at the other end has closed it."""


class Tty:
    def __init__(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.name = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        self._poll = select.poll()
        self._poll.register(self._master, 0)
        self._set_speed(termios.B9600)

    def close(self) -> None:
        os.close(self._master)

    def touched(self) -> bool:
        """It was set to 1200 baud and closed."""
        return not self.open() and termios.tcgetattr(self._master)[SPEED] == TOUCH

    def open(self) -> bool:
        return not any(event & select.POLLHUP for _, event in self._poll.poll(0))

    async def opened(self) -> None:
        while not self.open():
            await asyncio.sleep(LOOK_S)

    async def read(self) -> bytes:
        """Some bytes, as soon as there are any. Raises Closed."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return os.read(self._master, READ_BYTES)
            except BlockingIOError:
                ready = asyncio.Event()
                loop.add_reader(self._master, ready.set)
                try:
                    await ready.wait()
                finally:
                    loop.remove_reader(self._master)
            except OSError:
                raise Closed from None

    def write(self, text: str | bytes) -> None:
        """Raises Closed. What nobody reads is lost, as it is on USB."""
        if not self.open():
            raise Closed
        try:
            os.write(self._master, text.encode() if isinstance(text, str) else text)
        except BlockingIOError:
            pass
        except OSError:
            raise Closed from None

    def _set_speed(self, speed: int) -> None:
        settings = termios.tcgetattr(self._master)
        settings[SPEED - 1] = settings[SPEED] = speed
        termios.tcsetattr(self._master, termios.TCSANOW, settings)
