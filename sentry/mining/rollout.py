"""From one revision of the document to the next: what is missing is brought first, so that a playbook that cannot be
changes nothing; then all miners are stopped and removed, the scripts written, the miners started, in that order. The
last revision that worked comes back when one of them does not work in its grace time.
"""

import asyncio
import logging
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from schema.message import Invalid
from sentry.mining import host_catalog
from sentry.mining.miner_plan import Plan, Refused, plans
from sentry.mining.miner_store import Document
from sentry.mining.miner_tools import Tools
from sentry.mining.processes import Identity, Process, mark_of
from sentry.mining.supervise import Supervisor

log = logging.getLogger(__name__)

WORKS = ("running", "resting", "stopped")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
Say = Callable[[str, str], None]
"""status, error"""


class Rollout:
    """``miners``: those that run now, by name; ``progress``: of those that are brought, while they are."""

    def __init__(self, home: Path, tools: Tools) -> None:
        self.miners: dict[str, Supervisor] = {}
        self.progress: dict[str, dict[str, Any]] = {}
        self._home, self._tools, self._store = home, tools, tools.store
        self._processes = tools.processes

    def prepare(self, told: Sequence[Mapping[str, Any]]) -> list[Plan]:
        """Refused or Invalid, in words, unless this host can run all of it."""
        self._tools.places.prepare()
        catalog = host_catalog.load(self._home) if self._tools.settings.catalog == "host" else None
        return plans(told, here(), processors(), catalog)

    async def resume(self) -> None:
        """After a start of the sentry: go on with what runs, and end what nobody knows of."""
        running = self._store.running
        found: list[Plan] = []
        try:
            found = self.prepare(running["miners"]) if running else []
        except (Refused, Invalid) as error:
            log.error("miners: %s", error)
        left = await asyncio.to_thread(self._processes.marked, mark_of(self._tools.places.folder))
        for plan in found:
            supervisor = self.miners[plan.name] = Supervisor(plan, self._tools)
            there, paused = self._again(plan, left)
            if there is not None:
                log.info("miner %s still runs, pid %d", plan.name, there.id.pid)
                supervisor.adopt(there, paused)
        await self._end_strangers(left)
        for supervisor in self.miners.values():
            supervisor.start()

    async def to(self, rev: int, told: Sequence[Mapping[str, Any]], say: Say) -> None:
        """Make this revision run, and say how that goes: pending, then applied or failed."""
        running, failed = self._store.running, self._store.failed
        self.progress = {}
        if failed and running and failed["rev"] == rev != running["rev"]:
            say("failed", failed["error"])  # known from before a restart of the sentry
            return
        try:
            if running and running["miners"] == list(told) and len(self.miners) == len(told):
                self._same_again(rev, running)
            else:
                say("pending", "")
                await self._replace(rev, told)
        except (Refused, Invalid) as error:
            self.progress = {}
            say("failed", str(error))
            return
        say("pending", "")
        problem = await self._settle()
        if problem:
            problem = await self._go_back(rev, problem)
            say("failed", problem)
            if self._store.running and self._store.running["rev"] != rev:
                return
            await self._all_work()
        self._store.worked()
        say("applied", "")

    async def leave(self) -> None:
        """The sentry ends; the miners do not, unless its settings say so."""
        outlive = self._tools.settings.outlive
        await asyncio.gather(*(each.leave() if outlive else each.end() for each in self.miners.values()))

    def _same_again(self, rev: int, running: Document) -> None:
        for supervisor in self.miners.values():
            supervisor.start()  # a rollout that was given up for this one may have ended it already
        if running["rev"] != rev:
            self._store.run(rev, running["miners"])
            for supervisor in self.miners.values():
                supervisor.set_stopped(False)

    async def _replace(self, rev: int, told: Sequence[Mapping[str, Any]]) -> None:
        """Refused or Invalid, with nothing changed."""
        wanted = self.prepare(told)
        ready: dict[str, Path] = {}
        self.progress = {plan.name: {"state": "waiting"} for plan in wanted}
        for plan in wanted:
            try:
                ready[plan.name] = await self._tools.installer.install(plan.program, self._told(plan.name))
            except Invalid as error:
                raise Refused(plan.name, str(error)) from None
            self.progress[plan.name] = {"state": "waiting", "pct": 100}
        stuck = [text for text in await asyncio.gather(*(each.end() for each in self.miners.values())) if text]
        if stuck:
            for each in self.miners.values():
                each.start()
            raise Invalid("miners", f"cannot be stopped: {stuck[0]}")
        self.miners.clear()
        self._tools.places.remove_scripts()
        for plan in wanted:
            self._tools.places.write_script(plan, ready[plan.name])
        self._store.run(rev, told)
        self.progress = {}
        for plan in wanted:
            self.miners[plan.name] = Supervisor(plan, self._tools)
            self.miners[plan.name].start()

    async def _settle(self) -> str:
        """Wait until each miner works, rests or is stopped; the first problem, or "" """
        waits = [asyncio.create_task(self._one_settles(each)) for each in self.miners.values()]
        try:
            for each in asyncio.as_completed(waits):
                if problem := await each:
                    return problem
            return ""
        finally:
            for each in waits:
                each.cancel()

    async def _one_settles(self, miner: Supervisor) -> str:
        with suppress(TimeoutError):
            await asyncio.wait_for(miner.settled.wait(), miner.plan.grace_s)
        if miner.settled.is_set() and miner.step in WORKS:
            return ""
        name, why = miner.plan.name, f": {miner.problem}" if miner.problem else ""
        if miner.step == "failed":
            return f"miner {name}{why}"
        return f"miner {name}: not hashing within {miner.plan.grace_s} s{why}"

    async def _all_work(self) -> None:
        """The revision has failed, and there is none to go back to; some need longer than their grace time."""
        while any(miner.step not in WORKS for miner in self.miners.values()):
            await asyncio.sleep(1)

    async def _go_back(self, rev: int, problem: str) -> str:
        """The text to report."""
        log.warning("playbooks, revision %d: %s", rev, problem)
        working = self._store.working
        if working is None or working["rev"] == rev:
            return f"{problem}; left as it is: no other revision has worked yet"
        error = f"{problem}; went back to revision {working['rev']}"
        self._store.give_up(rev, error)
        try:
            await self._replace(working["rev"], working["miners"])
        except (Refused, Invalid) as unable:
            self.progress = {}
            return f"{problem}; cannot go back to revision {working['rev']}: {unable}"
        return error

    def _told(self, name: str) -> Callable[[int], None]:
        def tell(pct: int) -> None:
            self.progress[name] = {"state": "installing", "pct": pct}
            self._tools.changed()

        tell(0)
        return tell

    # After a start of the sentry

    def _again(self, plan: Plan, left: Mapping[str, list[Identity]]) -> tuple[Process | None, str]:
        """The miner's process, as noted or, if there was no time for that, by its mark; and how it is paused."""
        noted = self._store.process(plan.name)
        if noted and noted[1] == plan.digest and (there := self._processes.find(noted[0])):
            return there, noted[2]
        for identity in left.get(f"{plan.name}#{plan.digest}", []):
            if self._processes.group(identity.pid) == identity.pid and (there := self._processes.find(identity)):
                self._store.note(plan.name, identity, plan.digest)
                return there, ""
        return None, ""

    async def _end_strangers(self, left: Mapping[str, list[Identity]]) -> None:
        ours = {each.process.id.pid for each in self.miners.values() if each.process}
        ours.add(self._processes.group(os.getpid()))
        strangers = [each for found in left.values() for each in found if self._processes.group(each.pid) not in ours]
        for each in strangers:
            log.warning("pid %d is left of a miner that shall not run: ended", each.pid)
            self._processes.kill(each)


def processors() -> set[int]:
    """Those that this process may use."""
    return set(psutil.Process().cpu_affinity() or ())


def here() -> str:
    """This host's platform, as a catalog names it."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{MACHINES.get(machine, machine)}"
