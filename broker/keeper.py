"""Keeps one Mosquitto running: starts it, says why it ended, starts it again after a pause."""

import time
from collections.abc import Callable
from pathlib import Path

from broker.errors import BrokerFailed
from broker.farmfile import Domain
from broker.supervise import Child, delay, find_mosquitto

STABLE = 60.0  # seconds after which a broker counts as having started well


class Keeper:
    """``on_line(text)`` gets every log line, ``on_exit(child)`` each end; both from a thread."""

    def __init__(
        self,
        conf: Path,
        on_line: Callable[[str], None],
        on_exit: Callable[[Child], None],
        say: Callable[[str], None],
    ) -> None:
        self._program, self._conf = find_mosquitto(), conf
        self._on_line, self._on_exit, self._say = on_line, on_exit, say
        self._child: Child | None = None
        self._last_words: list[str] = []
        self._ran_once = False
        self._failures, self._started_at, self._restart_at = 0, 0.0, 0.0

    def start(self) -> None:
        self._started_at, self._last_words = time.monotonic(), []
        self._child = Child(self._program, self._conf, self._on_line, self._on_exit)

    def heard(self, line: str) -> None:
        """Remember what the broker may die of."""
        if "rror" in line or "Unable" in line:
            self._last_words = [*self._last_words, line][-3:]

    def runs(self) -> None:
        """The broker listens: from now on an end is an accident, not a mistake of set-up."""
        self._ran_once = True

    def ended(self, child: Child, domain: Domain) -> None:
        """``child`` has ended. Raises `BrokerFailed` when the broker has never run."""
        if child is not self._child:
            return
        self._child = None
        why = _why(domain, child.code, "; ".join(self._last_words))
        if not self._ran_once:
            raise BrokerFailed(why)
        well = time.monotonic() - self._started_at > STABLE
        self._failures = 1 if well else self._failures + 1
        pause = delay(self._failures)
        self._restart_at = time.monotonic() + pause
        self._say(f"broker ended: {why}; starts again in {pause:g} s")

    def tick(self) -> None:
        if self._child is None and time.monotonic() >= self._restart_at:
            self.start()

    def reload(self) -> None:
        if self._child:
            self._child.reload()

    def restart(self) -> None:
        if self._child:
            self._say("the broker's configuration changed: restarting it")
            self._child.stop()
            self.start()

    def stop(self) -> None:
        if self._child:
            self._child.stop()


def _why(domain: Domain, code: int | None, words: str) -> str:
    address = f"{domain.host}:{domain.port}"
    if "Address already in use" in words:
        return f"port: {address} is in use; stop what uses it or change port in farm.toml"
    if "Permission denied" in words:
        return f"mosquitto: no permission for {address} or a file: {words}"
    return f"mosquitto ended with {code}" + (f": {words}" if words else "")
