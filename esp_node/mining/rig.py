"""All slaves of one bus: who is there, who is due, and who is to be left alone for a while.

A slave that does not answer is asked again ever more seldom; after some faults in a row it is in quarantine, with an
alert, and the others go on. A bus that is held low is freed with nine clocks. One that a person has dropped is left
alone until it is taken up again.
"""

from esp_node.mining.slave import NEVER, Slave
from schema import i2c
from schema.errors import Invalid

_SCAN_MS = 60000  # it takes the bus as long as two jobs
_SCAN_EMPTY_MS = 10000
_LOST_AFTER = 5  # faults in a row
_BACKOFF_MS = 50
_QUARANTINE_MS = 30000
_RESET_MS = 1000  # more than a new address takes, until which it may answer at the old one


class Rig:
    """`bus` has scan() -> addresses, write(), read() (see slave.py) and free() that clocks a stuck bus free; `tell` is
    an object with announce(slave), gone(slave), share(slave, share), alert(slave, text or None) and log(level, text).
    pace: H/s, 0: no limit."""

    def __init__(self, bus, tell, pace=0, now=0):
        self.bus = bus
        self.tell = tell
        self.pace = pace
        self.slaves = {}  # address -> Slave, those that have ever been here
        self._failures = {}  # address -> faults in a row
        self._scan_at = now

    def step(self, now, unix_ms):
        """Do what is due. Returns when (ms) to come again."""
        if now >= self._scan_at:
            self.find(now)
        for slave in list(self.slaves.values()):
            if now >= slave.due:
                self.serve(slave, now, unix_ms)
        return min([slave.due for slave in self.slaves.values()] + [self._scan_at])

    def readdress(self, address, to, now):
        """Give the slave at `address` another one, which it keeps; it starts anew there."""
        slave = self.slaves[address]
        slave.tell(self.bus, i2c.ADDRESS, i2c.pack_address(to))
        self.drop(address)
        self.slaves.pop(address, None)
        # Known at once, so that nobody else is moved there; and not looked for where it still answers.
        self.slaves[to] = Slave(to, now + _RESET_MS)
        self._scan_at = max(self._scan_at, now + _RESET_MS)

    def take_up(self, address, now, unix_ms):
        """Ask who is at `address` at once, also one that was dropped or is not known; from now on it is served again.
        Returns what went wrong, or None."""
        if address not in self.slaves:
            self.slaves[address] = Slave(address, now)
        error = self.serve(self.slaves[address], now, unix_ms)
        if error and self.slaves[address].identity is None:
            self.drop(address)
        return error

    def drop(self, address):
        """Leave a slave alone until take_up(). Its jobs run out at the gateway, unless it is back before."""
        slave = self.slaves[address]
        if self._failures.pop(address, 0) >= _LOST_AFTER:
            self.tell.alert(slave, None)
        if slave.identity is None:  # nobody knows whether there is one
            del self.slaves[address]
            return
        if slave.server != "D":
            self.tell.gone(slave)
        slave.server, slave.state, slave.due = "D", "", NEVER

    def is_dropped(self, slave):
        return slave.due == NEVER

    def close(self):
        """Drop all slaves, and look for no new ones until find()."""
        for address in list(self.slaves):
            self.drop(address)
        self._scan_at = NEVER

    def find(self, now):
        """Look for new slaves, now and from now on. Returns what went wrong, or None."""
        self._scan_at = now + (_SCAN_MS if self.slaves else _SCAN_EMPTY_MS)
        try:
            for address in self.bus.scan():
                if address not in self.slaves:
                    self.slaves[address] = Slave(address, now)
        except OSError as error:
            self.tell.log("warning", "rig: %s" % error)
            self.bus.free()
            return error

    def serve(self, slave, now, unix_ms):
        """One step of a slave. Returns what went wrong, or None."""
        try:
            if slave.identity is None or slave.server == "D":
                slave.begin(self.bus, self.pace)
                self.tell.announce(slave)
                slave.ask(now)
            share = slave.poll(self.bus, now, unix_ms)
            if slave.due > now:
                slave.due = max(slave.due, now + len(self.slaves))  # many would fill the bus with looks
        except (OSError, Invalid) as error:
            self._fault(slave, now, error)
            return error
        if self._failures.pop(slave.address, 0) >= _LOST_AFTER:
            self.tell.alert(slave, None)
        if share:
            self.tell.share(slave, share)

    def _fault(self, slave, now, error):
        count = self._failures[slave.address] = self._failures.get(slave.address, 0) + 1
        if count == 1:
            self.tell.log("warning", "avr-%d: %s %s" % (slave.address, type(error).__name__, error))
        self.bus.free()
        slave.due = now + (_BACKOFF_MS << count if count < _LOST_AFTER else _QUARANTINE_MS)
        if count == _LOST_AFTER:
            known = slave.identity is not None
            slave.server, slave.state = "D", ""
            if known:
                self.tell.gone(slave)
                self.tell.alert(slave, str(error))
            else:  # something else is at this address
                del self.slaves[slave.address]
                del self._failures[slave.address]
