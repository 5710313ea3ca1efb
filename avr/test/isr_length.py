"""Runs under yasimavr: the longest run of the I2C interrupt, and of what follows a message, per command, in cycles.
Prints JSON: letter -> [interrupt, message]. Instruction by instruction: SimLoop.run() rounds at the end of a slice.

Usage: isr_length.py ELF MHZ INTERRUPT MESSAGE FRAME... (addresses of the two functions; messages in hex)
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "sim"))

from bus import Bus
from slave import Slave

ENTRY = 4 + 3  # cycles: the processor's response, and the jump in the table of vectors
ADDRESS, READ = 11, 17


class Stopwatch(Bus):
    """A bus with one slave, whose every instruction is looked at while messages go over it."""

    exact = False
    interrupt_at = message_at = 0

    def start(self, interrupt_at: int, message_at: int) -> None:
        self.interrupt_at, self.message_at = interrupt_at, message_at
        self.exact, self.ahead = True, 0
        self.since: int | None = None
        self.messages: list[int] = []
        self.interrupts: list[int] = []
        self.message_since: int | None = None
        self.nested = 0

    def run(self, cycles: int, slaves: list[Slave] | None = None) -> None:
        if not self.exact:
            super().run(cycles, slaves)
            return
        self.ahead += cycles
        while self.ahead > 0:
            self.ahead -= self.step()
        self._clock.increment_cycle(cycles)
        self._clock.process_timers()
        self.cycles += cycles

    def step(self) -> int:
        slave = self.slaves[0]
        pc = slave.probe.read_pc()
        now = slave.device.cycle()
        if pc == self.interrupt_at:
            self.since, self.stack = now - ENTRY, slave.probe.read_sp()
        elif self.since is not None and (pc == self.message_at or slave.probe.read_sp() > self.stack):
            self.interrupts.append(now - self.since)
            self.since = None
        if pc == self.message_at:
            self.message_since = now
        elif self.message_since is not None and not slave.memory("twi_pending", 1)[0]:
            self.messages.append(now - self.message_since)
            self.message_since = None
        took = max(1, slave.device.exec_cycle())
        manager = slave.device.cycle_manager()
        manager.increment_cycle(took)
        manager.process_timers()
        return took


def main() -> None:
    elf, mhz, interrupt, message, *frames = sys.argv[1:]
    bus = Stopwatch([Slave(elf, int(mhz) * 1_000_000, ADDRESS)], int(mhz) * 1_000_000)
    bus.run(int(mhz) * 50_000)
    longest: dict[str, list[int]] = {}
    for frame in map(bytes.fromhex, frames):
        bus.start(int(interrupt), int(message))
        assert not bus.transfer(ADDRESS, frame, READ).error
        longest[chr(frame[0])] = [max(bus.interrupts), max(bus.messages)]
    print(json.dumps(longest))


main()
