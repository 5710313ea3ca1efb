"""The I2C bus at wire level: a master, the slaves, and what can go wrong between them."""

from dataclasses import dataclass, field

from hashing import Watch
from slave import Slave
from yasimavr.lib import core

Signal, Line = core.TWI.SignalId, core.TWI.Line
LOOK_US = 100  # between looks whether it goes on, which cost time
STANDSTILL_US = 25_000  # a line that stays low so long fails a transaction, as SMBus has it
BITS_OF_SLACK = 4
CLOCK = Line.Clock
LINES = {int(line): line for line in (Line.Clock, Line.Data)}


@dataclass
class Transfer:
    """One transaction: what to write, then how much to read, with a repeated start between."""

    address: int
    write: list[int]
    count: int
    read: list[int] = field(default_factory=list)
    reading: bool = False
    addressed: bool = False
    error: str = ""
    done: bool = False


@dataclass
class Faults:
    """What to do to the next transactions. flip: (index of the byte, bit) of what is written or read."""

    drop_acks: int = 0
    flip_write: tuple[int, int] | None = None
    flip_read: tuple[int, int] | None = None


class Master(core.TWI.Host):
    """Drives two wires; `transfer` is what it is at."""

    def __init__(self) -> None:
        super().__init__()
        self.scl, self.sda = core.Wire(), core.Wire()
        self.transfer: Transfer | None = None
        self.faults = Faults()
        self._hooks = [core.CallableSignalHook(self._line), core.CallableSignalHook(self._event)]
        for wire, line in ((self.scl, Line.Clock), (self.sda, Line.Data)):
            wire.signal().connect(self._hooks[0], int(line))
        self.signal().connect(self._hooks[1])
        self.let_go()

    def set_line_state(self, line: core.TWI.Line, state: bool) -> None:
        # Most calls change nothing, and each takes time.
        if line == CLOCK:
            if state is not self._clock_high:
                self._clock_high = state
                self.scl.set_state("U" if state else "L")
        elif state is not self._data_high:
            self._data_high = state
            self.sda.set_state("U" if state else "L")

    def let_go(self) -> None:
        """Of both lines, whatever was done to them."""
        self._clock_high = self._data_high = True
        self.scl.set_state("U")
        self.sda.set_state("U")

    def _line(self, signal, line: int) -> None:
        if signal.sigid == core.Wire.SignalId.DigitalChange:
            self.line_state_changed(LINES[line], bool(signal.data.value()))

    def begin(self, transfer: Transfer) -> None:
        transfer.reading = not transfer.write and transfer.count > 0
        self.transfer = transfer
        if not self.start_transfer():
            transfer.error, transfer.done = "busy", True

    def _event(self, signal, _tag) -> None:
        t = self.transfer
        if t is None:
            return
        match signal.sigid:
            case Signal.AddressStandby:
                t.addressed = False
                self.set_address(t.address << 1 | t.reading)
            case Signal.AddressSent | Signal.DataAckReceived:
                acknowledged = signal.data.as_uint()
                if acknowledged and self.faults.drop_acks:
                    self.faults.drop_acks -= 1
                    acknowledged = 0
                t.addressed = True
                if not acknowledged:
                    t.error = "nack"
            case Signal.DataReceived:
                byte = signal.data.as_uint()
                if self.faults.flip_read and self.faults.flip_read[0] == len(t.read):
                    byte ^= 1 << self.faults.flip_read[1]
                    self.faults.flip_read = None
                t.read.append(byte)
                self.set_ack(len(t.read) < t.count)
            case Signal.DataStandby:
                self._go_on(t)
            case Signal.Stop:
                t.done = True
            case Signal.ArbitrationLost | Signal.BusCollision:
                t.error, t.done = "arbitration", True

    def _go_on(self, t: Transfer) -> None:
        if t.error:
            self.stop_transfer()
        elif t.reading:
            if len(t.read) < t.count:
                self.start_data_rx()
            else:
                self.stop_transfer()
        elif t.write:
            self.start_data_tx(t.write.pop(0))
        elif t.count:
            t.reading = True
            self.start_transfer()
        else:
            self.stop_transfer()


class Bus:
    """All slaves on one pair of wires, in one time: everybody's cycles go on together."""

    def __init__(self, slaves: list[Slave], hertz: int, bit_rate: int = 100_000):
        self.slaves, self.hertz = slaves, hertz
        self.cycles = 0
        self.busy_cycles = 0
        self.transactions = self.failures = 0
        self._clock = core.CycleManager()
        self.watches: list[Watch] = []
        self.master = Master()
        self.master.init(self._clock)
        self._bit = hertz // bit_rate
        self._slice = self._bit // 2  # cycles; with more, slaves miss what the master does
        self._restart_master()
        # A fault of its own on SDA: somebody pulls it low, whoever talks.
        self._grip = core.Wire()
        self._grip.set_state("Z")
        self.master.sda.attach(self._grip)
        for slave in slaves:
            slave.plug(self.master.scl, self.master.sda)

    def _restart_master(self) -> None:
        self.master.set_enabled(False)
        self.master.reset()
        self.master.set_bit_delay(self._bit)
        self.master.set_enabled(True)
        self.master.let_go()

    def run(self, cycles: int, slaves: list[Slave] | None = None) -> None:
        """Lets time pass, for all slaves or for some. The bus should be quiet when it is much."""
        for slave in self.slaves if slaves is None else slaves:
            slave.run(cycles)
        self._clock.increment_cycle(cycles)
        self._clock.process_timers()
        self.cycles += cycles
        for watch in self.watches if slaves is None else ():
            watch.look(self.cycles)

    def hold_sda(self, held: bool) -> None:
        self._grip.set_state("L" if held else "Z")

    @property
    def is_free(self) -> bool:
        return self.master.scl.digital_state() and self.master.sda.digital_state()

    def transfer(self, address: int, write: bytes, count: int, cut_us: int | None = None) -> Transfer:
        """cut_us: the master dies after that time, and leaves the slave where it is."""
        t = Transfer(address, self._written(write), count)
        begin = moved = self.cycles
        late = 0
        limit = STANDSTILL_US * self.hertz // 1_000_000
        self.transactions += 1
        if not self.is_free:
            t.error = "busy"
        else:
            self.master.begin(t)
            last, look = (self.master.state(), 0), 0
            meant = [slave for slave in self.slaves if slave.address == address] or self.slaves
            while not t.done and t.error != "busy":
                # Those that are not meant do nothing after the address, so their time may come later, at once.
                self.run(self._slice, meant if t.addressed else self.slaves)
                late += self._slice * t.addressed
                if self.cycles >= look:
                    look = self.cycles + LOOK_US * self.hertz // 1_000_000
                    progress = (self.master.state(), len(t.read) + len(t.write))
                    if progress != last:
                        last, moved = progress, self.cycles
                    if self.cycles - moved > limit:
                        t.error = "stuck"
                        break
                if cut_us is not None and (self.cycles - begin) * 1_000_000 >= cut_us * self.hertz:
                    t.error = "cut"
                    break
            for slave in self.slaves:
                if slave not in meant:
                    slave.run(late)
            for watch in self.watches:
                watch.look(self.cycles)
            self.busy_cycles += self.cycles - begin
            self.run_slices(BITS_OF_SLACK * self._bit)
        if t.error in ("stuck", "cut", "busy", "arbitration"):
            self._restart_master()
        self.master.transfer = None
        self.failures += bool(t.error)
        return t

    def run_slices(self, cycles: int) -> None:
        for _ in range(-(-cycles // self._slice)):
            self.run(self._slice)

    def _written(self, write: bytes) -> list[int]:
        written = list(write)
        flip = self.master.faults.flip_write
        if flip and flip[0] < len(written):
            written[flip[0]] ^= 1 << flip[1]
            self.master.faults.flip_write = None
        return written

    def clocks(self, count: int = 9) -> bool:
        """What frees a slave that holds SDA: clocks, then a stop. Returns whether both lines are high."""
        scl, sda, half = self.master.scl, self.master.sda, self._bit // 2
        for _ in range(count):
            scl.set_state("L")
            self.run_slices(half)
            scl.set_state("U")
            self.run_slices(half)
        for wire, state in ((scl, "L"), (sda, "L"), (scl, "U"), (sda, "U")):
            wire.set_state(state)
            self.run_slices(half)
        self._restart_master()
        return self.is_free
