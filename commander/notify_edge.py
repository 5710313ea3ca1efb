"""Tells people what stands in alert: looks each second, one message for each output, again until it was taken."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from commander import notify
from commander.effects import Effects, Farm, Moment, Refused
from commander.fleet import notices
from commander.notify import Mqtt, NotSent

log = logging.getLogger(__name__)

LOOK_S = 1.0
RETRY_S, RETRY_MOST_S = 5.0, 300.0

Ask = Callable[[Callable[[Farm, Moment], tuple[Any, Effects]], str], "Future[Any]"]


class Health(NamedTuple):
    """Of one output since this commander began: messages taken, tries that failed since, and why (the last)."""

    sent: int = 0
    failed: int = 0
    problem: str = ""
    at: int = 0  # ms since 1970: the last message taken


class Notifier:
    """``ask``: has the line do something; ``mqtt``: publishes a notice. A message takes in all that happened in
    ``pause_s``, so that a storm of alerts is no storm of messages."""

    def __init__(self, farm: Farm, ask: Ask, mqtt: Mqtt, pause_s: float) -> None:
        self.health: dict[str, Health] = {}
        self._farm, self._ask, self._mqtt, self._pause_s = farm, ask, mqtt, pause_s
        self._next: dict[str, float] = {}
        self._noting: dict[str, Future[Any]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=notify.ANSWER_S)

    def try_out(self, name: str) -> None:
        """Send an example now. NotSent, or Refused when there is no such output."""
        row = self._farm["notifier"].get(name)
        if row is None:
            raise Refused("name", f"there is no notifier {name}", 404)
        self._send(row, notices.example(name, int(time.time() * 1000)))

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            try:
                self._look()
            except Exception:
                log.exception("notifications")

    def _look(self) -> None:
        for notice in notices.due(self._farm, int(time.time() * 1000)):
            name = notice.notifier
            noting = self._noting.get(name)
            if time.monotonic() < self._next.get(name, 0) or (noting and not noting.done()) or self._stopping.is_set():
                continue  # while the database cannot note what was told, it would be told again and again
            row = self._farm["notifier"].get(name)
            if row is None:
                continue
            try:
                self._send(row, notice)
            except (NotSent, Refused) as error:
                self._on_failed(name, str(error))
                continue
            except Exception as error:  # a fault of this program, which the other outputs shall not suffer from
                log.exception("notifier %s", name)
                self._on_failed(name, f"a fault of this program: {error}")
                continue
            self._next[name] = time.monotonic() + self._pause_s
            told = notice.told
            self._noting[name] = self._ask(lambda _farm, _moment, told=told: (None, told), "notifier")

    def _send(self, row: dict[str, Any], notice: notices.Notice) -> None:
        name = row["name"]
        notify.kind(row["kind"]).send(notify.settings(row["kind"], row["data"]), notice, self._mqtt)
        before = self.health.get(name, Health())
        self.health[name] = Health(before.sent + 1, at=int(time.time() * 1000))

    def _on_failed(self, name: str, problem: str) -> None:
        before = self.health.get(name, Health())
        self.health[name] = before._replace(failed=before.failed + 1, problem=problem[:300])
        wait = min(RETRY_S * 2 ** min(before.failed, 10), RETRY_MOST_S)
        self._next[name] = time.monotonic() + wait
        log.warning("notifier %s: %s; again in %.0f s", name, problem, wait)
