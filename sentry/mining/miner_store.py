"""What must outlive the sentry: which revision runs, which one worked last, whose processes are whose. On disk before
it counts.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sentry.errors import SentryError
from sentry.home import Home
from sentry.mining.processes import Identity
from sentry.mining.watchdog import HOUR_S

log = logging.getLogger(__name__)

FILE = "miners.json"
Document = dict[str, Any]
"""{"rev", "miners"} as it came"""


class Store:
    def __init__(self, folder: Path) -> None:
        self._home = Home(folder)
        try:
            self._kept: dict[str, Any] = self._home.read(FILE) or {}
        except SentryError:  # it is found again what runs, and the document is there
            self._kept = {}

    @property
    def running(self) -> Document | None:
        """What runs, or is being started."""
        return self._kept.get("running")

    @property
    def working(self) -> Document | None:
        """The last revision of which all miners have worked."""
        return self._kept.get("working")

    @property
    def failed(self) -> Mapping[str, Any] | None:
        """{"rev", "error"} of a revision that was given up."""
        return self._kept.get("failed")

    @property
    def stopped(self) -> list[str]:
        """Miners that shall not run until they are told to."""
        return list(self._kept.get("stopped", []))

    @property
    def maintenance(self) -> bool:
        return self._kept.get("maintenance") is True

    def run(self, rev: int, miners: Sequence[Any]) -> None:
        """From now on this revision runs, all of it."""
        self._put(running={"rev": rev, "miners": list(miners)}, stopped=[])

    def worked(self) -> None:
        self._put(working=self.running, failed=None)

    def give_up(self, rev: int, error: str) -> None:
        self._put(failed={"rev": rev, "error": error})

    def stop(self, name: str, stopped: bool) -> None:
        rest = [each for each in self.stopped if each != name]
        self._put(stopped=[*rest, name] if stopped else rest)

    def maintain(self, maintenance: bool) -> None:
        self._put(maintenance=maintenance)

    def process(self, name: str) -> tuple[Identity, str, str] | None:
        """Of a miner that was started: who it is, its plan's digest, and how it is paused ("" or api or signal)."""
        found = self._processes.get(name)
        if found is None:
            return None
        return Identity(found["pid"], found["started"], found["boot"]), found["digest"], found["paused"]

    def note(self, name: str, identity: Identity | None, digest: str = "", paused: str = "") -> None:
        """Who it is now; None: nobody."""
        rest = {each: found for each, found in self._processes.items() if each != name}
        if identity is not None:
            who = {"pid": identity.pid, "started": identity.started, "boot": identity.boot}
            rest[name] = {**who, "digest": digest, "paused": paused}
        self._put(processes=rest)

    def deeds(self, rule: str) -> int:
        """How many within the last hour. By the clock on the wall, since they may restart the host."""
        return len(self._recent(rule))

    def count_deed(self, rule: str) -> bool:
        """Whether it will still be known after a restart of the host."""
        deeds = {**self._kept.get("deeds", {}), rule: [*self._recent(rule), time.time()]}
        return self._put(deeds=deeds)

    @property
    def _processes(self) -> dict[str, Any]:
        return cast(dict[str, Any], self._kept.get("processes", {}))

    def _recent(self, rule: str) -> list[float]:
        found: list[float] = self._kept.get("deeds", {}).get(rule, [])
        return [at for at in found if abs(time.time() - at) < HOUR_S]

    def _put(self, **change: Any) -> bool:
        """A full disk must not end the care for the miners: they are found again by their marks, too."""
        kept = {**self._kept, **change}
        if kept == self._kept:
            return True
        self._kept = kept
        try:
            self._home.write(FILE, kept)
        except OSError as error:
            log.error("%s cannot be written: %s", FILE, error)
            return False
        return True
