"""The DUCO rig of a board: its slaves are devices `avr-<address>` of the node, whose link carries jobs and shares."""

from esp_node import late
from esp_node.clock import mono_ms, unix_ms
from esp_node.logger import log
from esp_node.mining.rig import Rig
from esp_node.sensors._options import part
from schema.errors import Invalid

_LOOK_MS = 5
_REPORT_MS = 10000


def start(node, options):
    """The rig (Master) of `options` {scl, sda, freq, pace}, checked by config.py; its tasks run in the node's loop."""
    master = Master(node, options)
    node.scheduler.every(_LOOK_MS, master.look, "rig")
    node.scheduler.every(_REPORT_MS, master.report, "rig figures")
    return master


class Master:
    """The rig on machine's SoftI2C. What Rig asks of a bus, and what it tells."""

    def __init__(self, node, options):
        self._node = node
        self._options = options
        self._open()
        self.rig = Rig(self, self, options["pace"], mono_ms())
        self._next = 0

    def _open(self):
        options = self._options
        pin = part("Pin")
        self._i2c = part("SoftI2C")(
            scl=pin(options["scl"]), sda=pin(options["sda"]), freq=options["freq"], timeout=25000
        )

    # of the bus

    def scan(self):
        return self._i2c.scan()

    def write(self, address, data):
        if self._i2c.writeto(address, data) < len(data):
            raise OSError("byte not acknowledged")

    def read(self, address, size):
        return self._i2c.readfrom(address, size)

    def free(self):
        """Nine clocks and a stop, for a slave that holds SDA because it missed some; then the bus is made anew."""
        late.call("mining.rescue", "free", self._options["scl"], self._options["sda"])
        self._open()

    # what the rig says

    log = staticmethod(log)

    def announce(self, slave):
        late.call("mining.report", "announce", self._node, slave)

    def gone(self, slave):
        self.send(slave, "state", b"lost", True)

    def share(self, slave, share):
        self._node.event("/avr-%d/job/share" % slave.address, share)

    def alert(self, slave, text):
        late.call("trouble", "alert", self._node, "avr-%d" % slave.address, text)

    def send(self, slave, channel, payload, retain=False):
        """Publish for a slave, or not at all while the link is down."""
        link = self._node.link
        if link.connected:
            link.publish("%savr-%d/%s" % (self._node.prefix[:-5], slave.address, channel), payload, retain, int(retain))

    # tasks, and what the node hands on

    def look(self):
        now = mono_ms()
        if now >= self._next:
            self._next = self.rig.step(now, unix_ms())

    def report(self):
        for slave in self.rig.slaves.values():
            if slave.identity:
                late.call("mining.report", "report", self, slave, mono_ms())

    def connected(self):
        """After each connect of the link."""
        self._node.link.subscribe(self._node.prefix[:-5] + "+/job/offer")
        for slave in self.rig.slaves.values():
            if slave.server != "D":
                self.announce(slave)
            elif slave.identity:  # another chip may have been taken for one
                self.gone(slave)

    def heard(self, name, payload):
        """A message on <node>/`name` that is not for the node itself; Invalid names what is wrong with it."""
        device, _, channel = name.partition("/")
        slave = None
        if device.startswith("avr-") and device[4:].isdigit():
            slave = self.rig.slaves.get(int(device[4:]))
        if slave is None or slave.identity is None or channel != "job/offer":
            raise Invalid("device", "is not on this rig")
        late.call("mining.offer", "take", slave, payload, mono_ms())
        self._next = 0
        self.look()  # a slave may be waiting

    def answer(self, letter, address, value):
        """Lines of text: what a letter of the menu does and says, see menu.py; Invalid when it is refused."""
        self._next = 0
        return late.call("mining.menu", "answer", self.rig, letter, address, value, mono_ms(), unix_ms())
