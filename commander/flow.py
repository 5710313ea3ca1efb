"""THE line: item -> rule -> effects -> one transaction -> acknowledgement -> outbox -> live readers.

One thread runs it. Everything that changes the farm comes through its queue, in order: messages and connection
changes from mqtt_edge, requests from http_edge. Rules see the projection; effects are applied to it at once, and to
the database before anything is acknowledged, answered or published.
"""

import logging
import os
import queue
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from commander.boards import rules as boards
from commander.db_edge import Database, DatabaseRefused, DatabaseUnavailable, LeaseLost
from commander.effects import Add, Effects, Key, Moment, Put, Send, SendBlob
from commander.fleet import enrolment, refusals, rules, senders
from commander.fleet.outbox import Outbox, StoredMarks
from commander.keys import Keys
from commander.metrics import Metrics
from commander.mining import rules as mining
from commander.mqtt_edge import MqttEdge, Published
from commander.mqtt_ingest import Arrived, Door
from commander.projection import Projection
from schema import fleet, topics, trust, wire
from schema.message import Invalid, Message, check
from schema.messages import MESSAGES

log = logging.getLogger(__name__)

Rule = Callable[..., Effects]
RULES: dict[str, Rule] = {**rules.RULES, **mining.RULES, **boards.RULES, "enrol/req": enrolment.on_enrol}
MAX_ROUTES = 100_000
TICK_S, SETTLE_S = 1.0, 10.0
REV_JUMP = 1_000


class Request(NamedTuple):
    """A person's or program's wish: `work(farm, moment)` answers (result, effects), or raises Refused."""

    work: Callable[[Any, Moment], tuple[Any, Effects]]
    by: str
    answer: "Future[Any]"


class Route(NamedTuple):
    message: Message
    address: topics.Address
    rule: Rule


class Flow:
    """See the module's text. `inbox` is where items go; `run()` works until `stop()`."""

    def __init__(
        self, farm: Projection, database: Database, keys: Keys, root: str, batch_rows: int, batch_wait_s: float
    ) -> None:
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.farm = farm
        self.epoch = 0
        self.metrics = Metrics()
        self.live: list[Callable[[list[Put | Add]], None]] = []  # who hears of each commit
        self.send_blobs: Callable[[list[SendBlob]], None] = lambda asked: None
        self.mqtt: MqttEdge | None = None
        self.outbox = Outbox(root, keys, farm)
        self.marks = StoredMarks(farm)
        self.on_tick: list[Callable[[int], None]] = []  # housekeeping by the service: renewing the lease
        self.on_lost_lease: Callable[[], None] = self.stop
        self.failing = ""  # what the database said, while it cannot be written
        self._database = database
        self._keys = keys
        self._root = root
        self._batch_rows = batch_rows
        self._batch_wait_s = batch_wait_s
        self._rules: dict[str, Rule] = {**RULES, "leader": self._on_leader}
        self._routes: dict[bytes, Route] = {}
        self._puts: dict[tuple[str, Key], Put] = {}
        self._adds: list[Add] = []
        self._sends: list[Send] = []
        self._blobs: list[SendBlob] = []
        self._answers: list[tuple[Future[Any], Any]] = []
        self._stopping = threading.Event()
        self._next_tick = 0.0
        self._settled = time.monotonic() + SETTLE_S
        self._sealed_for = -1  # the epoch whose seal all desired documents have

    # --- the line ----------------------------------------------------------------------------------------------------
    def run(self) -> None:
        """Work until stop(), then finish what is in hand."""
        while not self._stopping.is_set():
            self.step(self._take())

    def step(self, items: list[Any]) -> None:
        """One batch: rules, transaction, acknowledgements, publishing."""
        now = int(time.time() * 1000)
        live, retained = Moment(now, os.urandom), Moment(now, os.urandom, retained=True)
        received: list[Arrived] = []
        for item in items:
            if isinstance(item, Arrived):
                received.append(item)
                for topic, payload, _, _, is_retained in item.messages:
                    self._receive(topic, payload, retained if is_retained else live)
            elif isinstance(item, Request):
                self._request(item, live._replace(by=item.by))
            elif isinstance(item, Door):
                self._door(item, live)
            elif isinstance(item, Published):
                self._puts["outbox", item.outbox_id] = Put("outbox", item.outbox_id, None)
        if time.monotonic() >= self._next_tick:
            self._next_tick = time.monotonic() + TICK_S
            self._tick(live)
        outgoing = self.outbox.seal(self._sends, self.epoch, now)
        for row in outgoing.rows:
            self._puts["outbox", row["id"]] = Put("outbox", row["id"], row)
        if not self._commit():
            return
        if self.mqtt is not None:
            self.mqtt.acknowledge(received)
            self.marks.moved(self._puts.values())
            for message in outgoing.messages + self.marks.due(now, self._root):
                self.mqtt.publish(*message)
        self._finish(received)

    # --- each kind of item -------------------------------------------------------------------------------------------
    def _receive(self, topic: bytes, payload: bytes, moment: Moment) -> None:
        try:
            route = self._routes.get(topic) or self._route(topic)
            if payload:
                data = wire.decode(route.message, payload)
            elif route.address.key == "alert":
                data = None
            else:
                return  # an emptied retained topic: its node was removed
            self.apply(route.rule(self.farm, route.address, data, moment))
        except Invalid as error:
            self._refuse(topic, payload, error, moment)
        except Exception:
            log.exception("a rule failed on %r", topic)
            self._refuse(topic, payload, Invalid("message", "made a rule of the commander fail; see its log"), moment)

    def _on_leader(self, farm: Projection, _at: topics.Address, envelope: dict[str, str], moment: Moment) -> Effects:
        # Our own signature with a higher epoch: this database was restored from an older copy. Jump ahead of what
        # nodes have seen.
        topic = topics.build(fleet.LEADER, self._root)
        if not self._keys.verify(trust.signed_text(topic, envelope["body"]), b64decode(envelope["sig"])):
            raise Invalid("sig", "is not this farm's")
        seen = wire.loads(envelope["body"].encode())["epoch"]
        if seen <= self.epoch:
            return []
        log.warning("epoch %d was in use, the database says %d: it was restored; jumping ahead", seen, self.epoch)
        self.epoch = self._sealed_for = seen + 1
        ahead = [Put("desired", key, {**row, "rev": row["rev"] + REV_JUMP}) for key, row in farm["desired"].items()]
        for put in ahead:
            farm.apply(put)
        return [*ahead, *self.outbox.everything_desired()]

    def _route(self, topic: bytes) -> Route:
        address = topics.parse(topic.decode("utf-8", "replace"), self._root)
        message = topics.declaration(MESSAGES, address)
        rule = self._rules.get(f"{address.key}/{address.name}") or self._rules.get(address.key)
        if rule is None:
            raise Invalid("topic.channel", f"nothing is done with {address.key} here")
        if len(self._routes) >= MAX_ROUTES:
            self._routes.clear()
        self._routes[topic] = Route(message, address, rule)
        return self._routes[topic]

    def _refuse(self, topic: bytes, payload: bytes, error: Invalid, moment: Moment) -> None:
        shown = topic.decode("utf-8", "replace")
        sender = refusals.sender_of(shown)
        effects, first = refusals.refuse(self.farm, sender, shown, payload, error, moment.now)
        if first:
            log.warning("refused from %s on %s: %s", sender, shown, error)
        self.metrics.refused += 1
        self.apply(effects)
        self.apply(self._count_dead(shown, payload, moment.now))

    def _count_dead(self, topic: str, payload: bytes, now: int) -> Effects:
        # A dead letter whose seq can be read counts as stored; else its sender would repeat it for ever.
        try:
            address = topics.parse(topic, self._root)
            senders.known_node(self.farm, address)
            data = wire.loads(payload)
            stream, seq = data["stream"], data["seq"]
            check(fleet.EVT, {"ts": 0, "stream": stream, "seq": seq})
        except (Invalid, KeyError, TypeError):
            return []
        return senders.count(self.farm, address.node, stream, seq, seq, now) or []

    def _request(self, request: Request, moment: Moment) -> None:
        try:
            result, effects = request.work(self.farm, moment)
        except Exception as error:  # it is the asker's, whatever it is: the line goes on
            request.answer.set_exception(error)
            return
        self.apply(effects)
        self._answers.append((request.answer, result))

    def _door(self, door: Door, moment: Moment) -> None:
        if door.domain:
            self.farm["door"][door.domain] = {**self.farm["door"][door.domain], "up": door.up, "since": moment.now}
        elif door.up and (door.fresh or self._sealed_for != self.epoch):
            # The broker knows nothing of this commander, or retains documents of an epoch that nodes would refuse.
            self._sealed_for = self.epoch
            self._sends += self.outbox.everything_desired()
            self.marks.all_again()

    def _tick(self, moment: Moment) -> None:
        # After a start the first seconds say nothing of the nodes: the sessions are still being made.
        if time.monotonic() > self._settled or all(door["up"] for door in self.farm["door"].values()):
            self._settled = 0.0
            self.apply([*rules.on_tick(self.farm, moment.now), *boards.on_tick(self.farm, moment)])
        self.apply(enrolment.expire_tokens(self.farm, moment))
        for job in self.on_tick:
            job(moment.now)

    # --- around them -------------------------------------------------------------------------------------------------
    def apply(self, effects: Effects) -> None:
        """Make effects true in the projection and due for the database."""
        for effect in effects:
            if type(effect) is Put:
                self.farm.apply(effect)
                self._puts[effect.table, effect.key] = effect
            elif type(effect) is Add:
                self._adds.append(effect)
            elif type(effect) is Send:
                self._sends.append(effect)
            elif type(effect) is SendBlob:
                self._blobs.append(effect)

    def _take(self) -> list[Any]:
        timeout = max(0.0, self._next_tick - time.monotonic())
        try:
            items = [self.inbox.get(timeout=min(timeout, TICK_S))]
        except queue.Empty:
            return []
        if self._batch_wait_s and self.inbox.empty():
            time.sleep(self._batch_wait_s)  # many messages in one transaction; a fsync costs more than the wait
        count = 0
        while count < self._batch_rows:
            count += len(items[-1].messages) if isinstance(items[-1], Arrived) else 1
            try:
                items.append(self.inbox.get_nowait())
            except queue.Empty:
                break
        return items

    def _commit(self) -> bool:
        pause = 0.1
        while self._puts or self._adds:
            try:
                started = time.perf_counter()
                self._database.commit(self._puts, self._adds)
            except DatabaseRefused:
                for effect, why in self._database.salvage(self._puts, self._adds):
                    log.critical("the database refuses a row and it is lost: %s: %s", effect, why)
                break
            except LeaseLost as error:
                log.error("%s; nothing more is stored here", error)
                self.on_lost_lease()
                return False
            except DatabaseUnavailable as error:
                if error.user_message != self.failing:
                    log.error("cannot store: %s; trying again, nothing is acknowledged until then", error.user_message)
                self.failing = error.user_message
                if self._stopping.wait(pause):
                    return False
                pause = min(pause * 2, 5.0)
                continue
            self.metrics.committed(len(self._adds), time.perf_counter() - started)
            break
        self.failing = ""
        return True

    def _finish(self, received: list[Arrived]) -> None:
        self.metrics.received += sum(len(batch.messages) for batch in received)
        changes = [*self._puts.values(), *self._adds]
        self.send_blobs(self._blobs)
        self._puts, self._adds, self._sends, self._blobs = {}, [], [], []
        answers, self._answers = self._answers, []
        for future, result in answers:
            future.set_result(result)
        for tell in tuple(self.live) if changes else ():
            tell(changes)

    # --- for other threads -------------------------------------------------------------------------------------------
    def ask(self, work: Callable[[Any, Moment], tuple[Any, Effects]], by: str) -> "Future[Any]":
        """Have `work` done in the line; the future has its result after the commit."""
        answer: Future[Any] = Future()
        self.inbox.put(Request(work, by, answer))
        return answer

    def stop(self) -> None:
        """End run() soon; what is not committed stays unacknowledged, so the broker or the sender repeats it."""
        self._stopping.set()
        self.inbox.put(None)
