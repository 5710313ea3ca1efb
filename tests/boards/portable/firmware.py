"""Runs on CPython and MicroPython: the parts of a pico2-ice's firmware that need no circuit."""
# ruff: noqa: E402, PT018 (MicroPython has no pytest)

import random
import sys
from binascii import crc32


class Clock:
    """Stands still but for sleeping, which takes a little longer than it should."""

    def __init__(self):
        self.us = 1000

    def sleep_ms(self, ms):
        self.us += ms * 1000 + 37

    def ticks_us(self):
        return self.us

    def ticks_diff(self, end, start):
        return end - start


class Micropython:
    pass


sys.modules["time"] = Clock()
sys.modules["micropython"] = Micropython()

import door
import ice

from esp_node.boards import pulse_count, receiving, variance
from esp_node.boards.receiving import BITSTREAM_BYTES, LEAVE_MS, WATCHDOG_MS, Bitstream

random.seed(7)


class Port:
    """Gives what is typed; nothing comes at a None."""

    def __init__(self, *typed):
        self.typed = [byte for part in typed for byte in ([None] if part is None else part)]
        self.waited = []

    def ready(self, limit_ms):
        self.waited.append(limit_ms)
        return bool(self.typed) and self.typed[0] is not None

    def byte(self):
        return self.typed.pop(0)


# A bitstream, whatever bytes are in it, and the beginning of the next one stays where it is.
whole = bytes([3, 3, 126] + [at * 7 & 255 for at in range(BITSTREAM_BYTES - 3)])
bitstream, port = Bitstream(), Port(whole, b"next")
assert bitstream.receive(port) == BITSTREAM_BYTES
assert bitstream.seek(0) == 0 and bitstream.read() == whole and type(bitstream.read()) is bytes
assert bytes(port.typed) == b"next"
assert bitstream.crc() == crc32(whole)
assert set(port.waited[3:]) == {WATCHDOG_MS} and port.waited[:3] == [WATCHDOG_MS, LEAVE_MS, LEAVE_MS]
# What is left of one, and Ctrl-C that is a part of it.
for rest in (b"\x00", b"\x7e\xaa\x03", b"\x03\x03\x7e", whole[:5000]):
    assert bitstream.receive(Port(rest, None)) == len(rest)
# Ctrl-C alone, once or often.
assert bitstream.receive(Port(b"\x03", None)) == bitstream.receive(Port(b"\x03\x03\x03", None)) == -1
# What was received before is no part of the next one.
assert bitstream.receive(Port(bytes(BITSTREAM_BYTES))) == BITSTREAM_BYTES
assert bitstream.read() == bytes(BITSTREAM_BYTES)

# The answer says what goes wrong, and never raises.
asked = []


def ask(do, content=b"", **more):
    asked.append((do, len(content), more))
    if len(asked) == 1:
        raise RuntimeError("Couldn't open CRAM")
    return {"samples": [1, 2, 4, 4], "each_s": 1714285}


door.ask = ask
chip = receiving.fpga()
assert receiving.answer(chip, bitstream, lambda: "never") == "cannot evaluate: Couldn't open CRAM"
assert receiving.answer(chip, bitstream, lambda: "pulses: 5") == "pulses: 5"
assert asked[-1] == ("configure", BITSTREAM_BYTES, {"mhz": 48})


def fails():
    raise MemoryError


assert receiving.answer(chip, bitstream, fails) == "cannot evaluate: MemoryError"


class Deaf:
    def cram(self, _):
        ice.configured = False


assert "CDONE stays low" in receiving.answer(Deaf(), bitstream, lambda: "never")

# The PIO sees every pulse of which high and low last two cycles, whatever the pin was before, and nothing else.
machine = pulse_count.rp2.StateMachine(0, pulse_count.rises, in_base=pulse_count.Pin(20))
for _ in range(200):
    level, levels, rises = random.getrandbits(1), [], 0
    for _ in range(random.randrange(40)):
        rises += level and bool(levels)
        levels += [level] * random.randrange(2, 9)
        level = 1 - level
    machine.restart()
    machine.exec("mov(x, invert(null))")
    machine.run(levels + [levels[-1]] * 3 if levels else [])
    machine.exec("mov(isr, invert(x))")
    machine.exec("push()")
    assert machine.get() == rises
assert pulse_count.pulses(machine) == 1714285  # although the gate was 37 us too long
assert pulse_count.scaled(1000, 1000000) == 1000 and pulse_count.scaled(24000000, 1200000) == 20000000

assert variance.variance([5]) == "0.000" and variance.variance([0, 1, 3]) == "1.000"
assert variance.variance([0, 4095] * 250) == "4086.810" and variance.variance([7, 7, 8]) == "0.333"
print("ok")
