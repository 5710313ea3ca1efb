"""What a steward does with what it is told: documents, marks, the leader's epoch."""

import re
import time
from collections.abc import Callable
from typing import Any

from broker.documents import Memory, nodes_to_purge, verifier
from broker.errors import BadCredentials, BrokerError
from broker.mqtt_edge import Message
from broker.news import News, now_ms
from broker.users import User, from_document
from schema.fleet import DATA, DESIRED, LEADER, STORED
from schema.message import Invalid
from schema.trust import accept_desired, judge_epoch, unseal
from schema.wire import decode

# The commander spreads users over 16 documents, so that one message holds them on a farm of thousands.
CREDENTIALS = re.compile("credentials(-[0-9a-f])?")
RELOAD_S = 3.0
AGAIN_S = 10.0
NO_QUESTION = -1


class Orders:
    """``use()`` is to write what ``memory`` holds and have the broker read it; `reloading` then says that it does.

    ``prefix``: <root>/<domain> of steward ``me``. ``say`` gets what a person should know.
    """

    def __init__(
        self,
        commander_key: str,
        prefix: str,
        me: str,
        memory: Memory,
        news: News,
        use: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._verify = verifier(commander_key)
        self._prefix, self._me = prefix, me
        self.memory, self._news, self._use, self.say = memory, news, use, say
        # One reload at a time: Mosquitto forgets a signal that comes while it still reads the files for the one before.
        self._loading = self._load_again = False
        self._loading_since = 0.0
        self._question = NO_QUESTION
        self._unwritten_since, self._problem = 0.0, ""
        self._waiting: list[tuple[str, int]] = []  # documents to report after this reload
        self._next: list[tuple[str, int]] = []  # and after the one that follows
        self._purging: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {}  # by the topic of the marker

    def told(self, message: Message) -> None:
        """Any message below the farm's root that is no notification of a bridge."""
        topic = message.topic
        if topic in self._purging:
            self._purged(topic)
        elif topic.startswith(f"{self._prefix}/{self._me}/") or topic.endswith("/_/leader"):
            self._ordered(message)
        elif message.retained and message.payload and self._news.connection:
            # What a node to purge has left behind.
            self._news.connection.publish(topic, b"", retain=True)

    def _ordered(self, message: Message) -> None:
        """A document, a mark or the leader: refused with a reason unless it is in order."""
        try:
            if message.topic == self._news.topic(STORED):
                marks = decode(STORED, message.payload)["marks"]
                self._news.outbox.passed(marks.get(self._news.outbox.stream, 0))
            elif message.topic.endswith("/_/leader"):
                body = unseal(LEADER, message.topic, message.payload, self._verify)
                judge_epoch(self.memory.seen, body)
                self._keep_seen({**self.memory.seen, "epoch": body["epoch"]})
            elif message.payload:
                self._document(message)
        except Invalid as refusal:
            fields = {"topic": message.topic, "field": refusal.field, "problem": refusal.problem}
            self._news.event("refused", fields, now_ms())
            self.say(f"refused {message.topic}: {refusal}")

    def _document(self, message: Message) -> None:
        name = message.topic.rpartition("/")[2]
        body = unseal(DESIRED, message.topic, message.payload, self._verify)
        seen, fresh = accept_desired(self.memory.seen, name, body)
        try:
            if CREDENTIALS.fullmatch(name):
                self._credentials(name, from_document(body["data"]), body["rev"])
            elif name != "purge":
                allowed = "credentials, credentials-0 to credentials-f, purge"
                raise BadCredentials(f"{name}: no such document; allowed: {allowed}")
            elif fresh:  # once only: a node that came back under its old id is not purged again
                self._purge(nodes_to_purge(body["data"], self._me), body)
                return
            self.memory.keep_seen(seen)
        except BadCredentials as error:
            self._news.report(name, body["rev"], str(error))
            self.memory.keep_seen(seen)
        except OSError as error:  # a full disk; what runs goes on
            self._unwritten_since = time.monotonic()
            self._news.report(name, body["rev"], f"cannot be written: {error.strerror}")

    def _credentials(self, document: str, users: tuple[User, ...], rev: int) -> None:
        if users == self.memory.users_of(document) and not self._loading:
            self._news.report(document, rev)
            return
        self.memory.keep_users(document, users)
        self._next.append((document, rev))
        self.load()

    def load(self) -> None:
        """Have the broker read the files of the moment, at once or after the reload that is under way."""
        if self._loading:
            self._load_again = True
            return
        self._loading, self._load_again, self._loading_since = True, False, time.monotonic()
        self._waiting, self._next = self._waiting + self._next, []
        problem = ""
        try:
            self._use()
        except BrokerError as error:  # a full disk, a damaged kit: what runs goes on, and `tick` tries again
            problem = str(error)
        if problem != self._problem:
            self._problem = problem
            self.say(f"credentials not applied: {problem}" if problem else "credentials applied again")
            if problem:
                self._news.alert("credentials", now_ms(), problem)
            else:
                self._news.clear_alert("credentials")

    def started(self) -> None:
        """The broker has started, with the files as they are."""
        self._report()
        self._loaded()

    def reloading(self) -> None:
        """The broker begins to read the files, and answers nobody before it is done: who asks now, asks the new ones.
        Its answer to a question tells that it is done.
        """
        self._report()
        if self._news.connection:
            self._question = self._news.connection.ask()

    def answered(self, question: int) -> None:
        if question == self._question:
            self._loaded()

    def tick(self, now: float) -> None:
        """Signal again when the broker never said that it reloads, or the connection was lost on which it was asked;
        have documents again that could not be written."""
        if self._loading and now - self._loading_since > RELOAD_S:
            self._loading = False
            self.load()
        if self._unwritten_since and now - self._unwritten_since > AGAIN_S and self._news.connection:
            self._unwritten_since = 0.0
            self._news.connection.subscribe([self._news.topic(DESIRED, "x").removesuffix("x") + "+"])

    def _report(self) -> None:
        waiting, self._waiting = self._waiting, []
        for document, rev in waiting:
            self._news.report(document, rev)

    def _loaded(self) -> None:
        self._loading, self._question = False, NO_QUESTION
        if self._load_again:
            self.load()

    def _purge(self, nodes: tuple[str, ...], body: dict[str, Any]) -> None:
        connection = self._news.connection
        if connection is None:
            return
        # Mosquitto answers in order: once our own marker is back, all that was retained is here.
        marker = self._news.topic(DATA, f"purge-{body['rev']}")
        filters = tuple(f"{self._prefix}/{node}/#" for node in nodes)
        self._purging[marker] = (body, filters)
        connection.subscribe([*filters, marker])
        connection.publish(marker, b"[]")

    def _purged(self, marker: str) -> None:
        body, filters = self._purging.pop(marker)
        if self._news.connection:
            self._news.connection.unsubscribe([*filters, marker])
        self._news.report("purge", body["rev"])
        # Remembered only now: a purge that was cut short is done again.
        revs = {**self.memory.seen.get("revs", {}), "purge": body["rev"]}
        self._keep_seen({**self.memory.seen, "revs": revs})

    def _keep_seen(self, seen: dict[str, Any]) -> None:
        try:
            self.memory.keep_seen(seen)
        except OSError as error:
            self.say(f"steward.json cannot be written: {error.strerror}")
