"""Modules of the firmware that are others on this board than in the Unix port."""

import time

import door
import micropython


class Micropython:
    """The module, but for the interrupt character: it is not the tty of this process that the host types into."""

    def __getattr__(self, name):
        return getattr(micropython, name)

    @staticmethod
    def kbd_intr(character):
        door.ask("interrupt", character=character)


class Time:
    """The module, but for the ticks: they stand still unless one sleeps, so a gate is as long for the circuit as the
    program asks for, however busy this machine is."""

    _us = 0

    def __getattr__(self, name):
        return getattr(time, name)

    def sleep_us(self, us):
        time.sleep_us(us)
        self._us += us

    def sleep_ms(self, ms):
        self.sleep_us(ms * 1000)

    def sleep(self, seconds):
        self.sleep_us(int(seconds * 1000000))

    def ticks_us(self):
        return self._us & 0x3FFFFFFF

    def ticks_ms(self):
        return self._us // 1000 & 0x3FFFFFFF
