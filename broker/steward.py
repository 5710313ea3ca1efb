"""The steward of one domain: one loop that takes events, one after the other, and acts.

Events come from Mosquitto's log (watch.py), from its MQTT side (mqtt_edge.py), and from the clock.
Read from `run` downwards.
"""

import fcntl
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from broker import kit as kits
from broker.broker_files import BrokerFiles
from broker.documents import Memory
from broker.domains import bridge_topic
from broker.errors import BrokerError, BrokerFailed
from broker.keeper import Keeper
from broker.mqtt_edge import Answered, Connected, Connection, Lost, Message
from broker.news import HEARTBEAT_MS, News, now_ms
from broker.orders import Orders
from broker.supervise import Child
from broker.users import steward_user
from broker.watch import (
    SYS_FILTERS,
    Dropping,
    LogReader,
    RefusalCounter,
    Refused,
    Reloading,
    Running,
    broker_figures,
)
from schema.fleet import DESIRED, STORED

TICK = 1.0
DROPPING_MS = 300_000  # an alert of dropped messages ends after so long without another


@dataclass(frozen=True)
class Line:
    text: str


@dataclass(frozen=True)
class Exited:
    child: Child


@dataclass(frozen=True)
class Stop:
    pass


def run(directory: Path, say: Callable[[str], None] = print) -> None:
    """Run broker and steward of ``directory`` until SIGTERM or SIGINT; call from the main thread.

    ``say`` gets one line per thing a person should know; "ready ..." once the steward is connected.
    Raises `BrokerError` when the broker cannot be started the first time.
    """
    steward = Steward(directory, say)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: steward.stop())
    with _only_one(directory):
        steward.run()


@contextmanager
def _only_one(directory: Path) -> Generator[None]:
    """Holds ``directory`` against a second steward, which would fight for the port."""
    try:
        lock = (directory / "lock").open("w")
    except OSError as error:
        raise BrokerFailed(f"{directory}/lock: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BrokerFailed(f"{directory}: another steward runs here; stop it first") from None
        yield


class Steward:
    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        self.directory, self.say = directory.absolute(), say
        self.events: SimpleQueue[Any] = SimpleQueue()
        self.kit = kits.installed(self.directory)
        self._kit_stamp = self._stamp()
        self.farm, self.domain = self.kit.farm, self.kit.domain
        self.me = steward_user(self.domain)
        self.files, self.memory = BrokerFiles(self.directory), Memory(self.directory)
        self.news = News(self.farm, self.domain)
        prefix = f"{self.farm.root}/{self.domain}"
        key = self.kit.commander_key
        self.orders = Orders(key, prefix, self.me, self.memory, self.news, self._rewrite, say)
        put = self.events.put
        self.keeper = Keeper(self.files.conf, lambda text: put(Line(text)), lambda child: put(Exited(child)), say)
        self.log, self.refusals = LogReader(), RefusalCounter()
        self.sys: dict[str, str] = {}
        links = [link.name for link in self.farm.links if self.domain in (link.a, link.b)]
        self.bridges = {link: (0, now_ms()) for link in links}
        self.heartbeat_at = 0
        self.dropping: dict[str, int] = {}  # client -> last seen, ms
        self.dropping_since = 0

    def stop(self) -> None:
        """End `run`; may be called from a signal handler or another thread."""
        self.events.put(Stop())

    def run(self) -> None:
        try:
            self._write_files()
            self.keeper.start()
            tick_at = time.monotonic()
            while True:
                try:
                    event = self.events.get(timeout=max(0.0, tick_at - time.monotonic()))
                except Empty:
                    tick_at = time.monotonic() + TICK
                    self._tick(now_ms())
                    continue
                if isinstance(event, Stop):
                    return
                self._handle(event)
        finally:
            self._end()

    def _write_files(self) -> None:
        try:
            self.files.write(self.kit, self.memory.users)
        except BrokerError as error:  # a full disk must not keep the farm's broker down
            if not self.files.conf.exists():
                raise
            self.say(f"{error}; starting with the files that are there")

    def _handle(self, event: object) -> None:
        match event:
            case Line(text):
                self._log(text)
            case Exited(child):
                self.keeper.ended(child, self.farm.domains[self.domain])
            case Connected():
                self._connected()
            case Lost(reason):
                self.news.connected = False
                self.say(f"connection to the broker lost: {reason}")
            case Message():
                self._message(event)
            case Answered(question):
                self.orders.answered(question)
            case _:
                pass

    def _log(self, text: str) -> None:
        self.keeper.heard(text)
        match self.log.read(text):
            case Running():
                self.keeper.runs()
                self.orders.started()
                if self.news.connection is None:
                    self._connect()
            case Reloading():
                self.orders.reloading()
            case Refused() as refused:
                self.refusals.note(refused)
            case Dropping(client):
                self._dropping(client, now_ms())
            case None:
                pass

    def _dropping(self, client: str, now: int) -> None:
        self.dropping_since = self.dropping_since if self.dropping else now
        if client not in self.dropping:
            self.say(f"messages to {client} are being dropped: its queue is full")
        self.dropping[client] = now
        names = ", ".join(sorted(self.dropping))
        self.news.alert("dropped", self.dropping_since, f"queue full, messages dropped for: {names}")

    def _connect(self) -> None:
        here = self.farm.domains[self.domain]
        self.news.connection = Connection(
            host=here.host if here.loopback else "127.0.0.1",
            port=here.port,
            user=self.me,
            password=self.kit.steward_password,
            ca_file=str(self.directory / "ca.pem") if here.tls else None,
            will=self.news.will(),
            events=self.events,
        )
        self.news.connection.start()

    def _connected(self) -> None:
        connection, root = self.news.connection, self.farm.root
        if connection is None:
            return
        desired = self.news.topic(DESIRED, "x").removesuffix("x") + "+"
        bridges = [bridge_topic(root, link) for link in self.bridges]
        told = [desired, self.news.topic(STORED), f"{root}/_/leader"]
        connection.subscribe([*told, *bridges, *SYS_FILTERS])
        self.news.birth()
        self.heartbeat_at = 0
        here = self.farm.domains[self.domain]
        self.say(f"ready {self.domain} {here.host}:{here.port}")

    def _message(self, message: Message) -> None:
        topic, root = message.topic, self.farm.root
        if topic.startswith("$SYS/"):
            self.sys[topic] = message.payload.decode(errors="replace")
        elif topic.startswith(f"{root}/_/bridge/"):
            self._bridge(topic.rpartition("/")[2], message.payload)
        else:
            epoch = self.memory.seen.get("epoch")
            self.orders.told(message)
            if self.memory.seen.get("epoch") != epoch:
                self.heartbeat_at = 0  # a new leader believes nobody to be there from whom it has not heard

    def _rewrite(self) -> None:
        if self.files.write(self.kit, self.memory.users):
            self.keeper.restart()
        else:
            self.keeper.reload()

    def _bridge(self, link: str, payload: bytes) -> None:
        connected = int(payload == b"1")
        if link in self.bridges and self.bridges[link][0] != connected:
            self.bridges[link] = (connected, now_ms())
            self.say(f"bridge {link} {'connected' if connected else 'lost'}")
            self.heartbeat_at = 0

    def _tick(self, now: int) -> None:
        self.keeper.tick()
        self.orders.tick(time.monotonic())
        if self._stamp() != self._kit_stamp:
            self._new_kit()
        for refused, count in self.refusals.due(now):
            fields = {"client": refused.client, "address": refused.address, "count": count}
            self.news.event("auth-refused", fields, now)
        if self.dropping and now - max(self.dropping.values()) > DROPPING_MS:
            self.dropping = {}
            self.news.clear_alert("dropped")
        if now >= self.heartbeat_at:
            self.heartbeat_at = now + HEARTBEAT_MS
            self.news.heartbeat(now, broker_figures(self.sys), self.bridges)
        self.news.flush(now)

    def _stamp(self) -> int:
        try:
            return (self.directory / "kit.json").stat().st_mtime_ns
        except OSError:
            return 0

    def _new_kit(self) -> None:
        self._kit_stamp = self._stamp()
        try:
            self.kit = kits.installed(self.directory)
            self.farm = self.kit.farm
            self.orders.load()
        except BrokerError as error:
            self.say(f"the new kit is not used: {error}")

    def _end(self) -> None:
        if self.news.connection:
            self.news.goodbye()
            self.news.connection.stop()
        self.keeper.stop()
