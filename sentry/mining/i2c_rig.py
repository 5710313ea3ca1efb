"""The master of a DUCO rig on a Linux host: its slaves are devices `avr-<address>` of the sentry.

What it does on the bus is in esp_node/mining, the same code as on a board; here is what is different: a bus of Linux, a
thread instead of a scheduler, and the sentry's MQTT connection, on which everything looks as it does from a board.
"""

import errno
import logging
import threading
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, cast

from esp_node.clock import mono_ms, unix_ms
from esp_node.mining import menu, offer, report, rig
from schema import topics
from schema.message import Invalid, Message
from sentry.birth import now_ms
from sentry.events import Event, Sender
from sentry.extras import Alarm, Extra, Publish, Wish
from sentry.measure import Measured
from sentry.mining.i2c_bus import Bus
from sentry.mining.i2c_settings import RigSettings
from sentry.reading import Reading
from sentry.rules import Heard, Order, ack, bad_arguments, refusal

# The core is written for MicroPython, without annotations.
core_menu, core_offer, core_report, core_rig = (cast(Any, each) for each in (menu, offer, report, rig))

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 10.0
STOP_S = 5.0
LEVELS = {"warning": logging.WARNING, "error": logging.ERROR}
HELP = {
    errno.ENOENT: "; switch I2C on (Raspberry Pi: dtparam=i2c_arm=on), or name another bus with FARMHAND_RIG_BUS",
    errno.EACCES: "; the sentry's user must be in the group that owns it, mostly i2c",
    errno.ENOTTY: "; it is no I2C bus",
}

RIG = Message(
    "args", "", "down", 1, False, "object",
    (
        ("letter", "text 1", "", "of the menu"),
        ("slave?", "int", "", "address of the slave it is about"),
        ("value?", "int", "", "what the letter wants besides"),
    ),
)  # fmt: skip


class Master(Extra):
    """``tell`` is called from the master's thread; ``boot`` and ``kind`` are the sentry's."""

    commands = {"rig": RIG}  # noqa: RUF012

    def __init__(
        self, sender: Sender, boot: str, kind: str, settings: RigSettings, tell: Callable[[Wish], None]
    ) -> None:
        self.filters = [sender.topic("job/offer", device="x").replace("/x/", "/+/")]
        self._sender, self._kind, self._settings, self._tell = sender, kind, settings, tell
        self._bus = Bus(settings.bus, settings.addresses)
        self._rig = core_rig.Rig(self._bus, self, settings.pace, mono_ms())
        self._node = Node(sender, boot, tell)
        self._todo: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._due = 0  # ms of mono_ms, when the bus wants to be looked after
        self._trouble: str | None = None  # what the alert says; None: nothing was told since the start
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True, name="rig")

    # For the agent's thread

    def start(self) -> None:
        self._thread.start()

    def hear(self, heard: Heard) -> bool:
        try:
            at = topics.parse(heard.topic, self._sender.root)
        except Invalid:
            return False
        if at.key != "job/offer" or (at.domain, at.node) != (self._sender.domain, self._sender.node):
            return False
        self._todo.put(partial(self._on_offer, at.device, heard))
        return True

    def obey(self, order: Order) -> None:
        self._todo.put(partial(self._on_order, order))

    def on_connected(self) -> None:
        self._todo.put(self._on_connected)

    def close(self) -> None:
        self._todo.put(self._stop)
        self._thread.join(STOP_S)

    # In the master's thread

    def _run(self) -> None:
        report_at = mono_ms() + self._ms(self._settings.report_s)
        while self._running:
            now = mono_ms()
            if now >= self._due:
                self._due = self._look(now)
            if now >= report_at:
                report_at = now + self._ms(self._settings.report_s)
                self._tell(Measured(self._readings(now)))
            wait_s = (min(self._due, report_at) - mono_ms()) / 1000
            try:
                self._todo.get(timeout=min(max(0.0, wait_s), LONGEST_WAIT_S))()
            except Empty:
                pass
            except Exception:  # a fault of this program: what was asked for is lost, not the rig
                log.exception("not done")
        self._bus.close()

    def _look(self, now: int) -> int:
        """Do what is due on the bus; returns when (ms) to look again."""
        try:
            if not self._bus.is_open:
                self._bus.open()
            due: int = self._rig.step(now, unix_ms())
        except OSError as error:  # the bus itself: faults of slaves stay with the rig
            self._lose(error)
        except Exception:
            log.exception("starting anew")
            self._lose(OSError("a fault of this program, see the log"))
        else:
            self._say_trouble("")
            return due
        return now + self._ms(self._settings.retry_s)

    def _lose(self, error: OSError) -> None:
        """Without a bus, all slaves are away."""
        self._bus.close()
        self._say_trouble(f"I2C bus {self._settings.bus}: {error.strerror or error}{HELP.get(error.errno or 0, '')}")
        for slave in self._rig.slaves.values():
            if slave.server != "D":
                slave.server, slave.state = "D", ""
                self.gone(slave)

    def _say_trouble(self, text: str) -> None:
        if text != self._trouble:
            self._trouble = text
            self._tell(Alarm("rig", text, "error"))

    def _on_offer(self, device: str, heard: Heard) -> None:
        try:
            address = device.removeprefix("avr-")
            slave = self._rig.slaves.get(int(address)) if address.isdecimal() else None
            if slave is None or slave.identity is None:
                raise Invalid("device", "is not on this rig")
            core_offer.take(slave, heard.payload, mono_ms())
        except Invalid as error:
            self._tell(refusal(heard.topic, error))
        self._due = 0

    def _on_order(self, order: Order) -> None:
        given = order.args["letter"], order.args.get("slave"), order.args.get("value")
        try:
            lines: list[str] = core_menu.answer(self._rig, *given, mono_ms(), unix_ms())
        except Invalid as error:
            self._tell(bad_arguments(order.id, error))
        except OSError as error:
            self._tell(ack(order.id, "failed", "bus", {"problem": str(error)}))
        else:
            self._tell(ack(order.id, "done", result={"lines": lines}))
        self._due = 0

    def _on_connected(self) -> None:
        for slave in self._known():
            if slave.server == "D":
                self.gone(slave)
            else:
                self.announce(slave)

    def _stop(self) -> None:
        self._running = False
        self._say_trouble("")
        for slave in self._known():
            self._say_state(slave, b"disconnected")
            self.alert(slave, None)

    def _known(self) -> list[Any]:
        """Slaves that have once said who they are: another chip may have the same look, but never that."""
        return [slave for slave in self._rig.slaves.values() if slave.identity]

    def _readings(self, now: int) -> list[Reading]:
        units, figures = core_report.units(), core_report.figures
        return [Reading("slave", figures(slave, now), units, _device(slave)) for slave in self._known()]

    def _say_state(self, slave: Any, word: bytes) -> None:
        self._tell(Publish(self._sender.topic("state", device=_device(slave)), word, 1, True))

    @staticmethod
    def _ms(seconds: float) -> int:
        return int(seconds * 1000)

    # What the rig says

    def announce(self, slave: Any) -> None:
        core_report.announce(self._node, slave, self._kind)
        self.alert(slave, None)  # what an earlier start may have raised

    def gone(self, slave: Any) -> None:
        self._say_state(slave, b"lost")

    def share(self, slave: Any, share: dict[str, Any]) -> None:
        self._tell(Event("job/share", "", now_ms(), share, _device(slave)))

    def alert(self, slave: Any, text: str | None) -> None:
        self._tell(Alarm(_device(slave), text or "", "error"))

    def log(self, level: str, text: str) -> None:
        log.log(LEVELS.get(level, logging.INFO), "%s", text)


class Node:
    """What report.py asks of a node: where its topics are, and a link, which here may be down without harm."""

    connected = True

    def __init__(self, sender: Sender, boot: str, tell: Callable[[Wish], None]) -> None:
        self.prefix = f"{sender.root}/{sender.domain}/{sender.node}/self/"
        self.boot, self.link, self._tell = boot, self, tell

    def publish(self, topic: str, payload: bytes, retain: bool, qos: int) -> None:
        self._tell(Publish(topic, payload, qos, retain))


def _device(slave: Any) -> str:
    return f"avr-{slave.address}"
