"""Keeps one miner as it shall be: running, resting or stopped.

Read `_decide` first: one thing at a time, by what commands, the schedule, the process and the looks at the miner
(miner_looks.py) say.
"""

import asyncio
import logging
import random
from contextlib import suppress
from datetime import datetime

from schema.message import Invalid
from sentry.flight import retry_pause
from sentry.mining.figures import Figures
from sentry.mining.miner_control import control
from sentry.mining.miner_guard import Guard
from sentry.mining.miner_looks import Looks
from sentry.mining.miner_plan import Plan
from sentry.mining.miner_tools import Tools
from sentry.mining.miner_voice import Voice
from sentry.mining.processes import Process, mark_of
from sentry.mining.schedule import is_open

log = logging.getLogger(__name__)

SCHEDULE_S = 20.0  # between two looks at the clock on the wall
PAUSED_BY_API, PAUSED_BY_SIGNAL = "api", "signal"


class Supervisor:
    """``step``: a word of STEPS; ``problem``: for people; ``settled``: set once it works, or needs not, or never will
    by itself."""

    def __init__(self, plan: Plan, tools: Tools) -> None:
        self.plan, self._tools = plan, tools
        self.step, self.problem = "waiting", ""
        self.settled = asyncio.Event()
        self.process: Process | None = None
        self.paused = ""
        self._guard = Guard(plan, tools.tell, tools.store.deeds)
        self._looks = Looks(plan, tools.asker, tools.places.log(plan.name), tools.settings)
        self._voice = Voice(plan, tools.tell)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._restart, self._given_up = "", False
        self._between: tuple[str, str] | None = None  # rule and reason of a restart of the driver
        self._failures, self._not_before, self._begun = 0, 0.0, 0.0

    # For rollout and commands

    def adopt(self, found: Process, paused: str) -> None:
        """Before `start`: it runs already."""
        self.process, self.paused = found, paused

    def start(self) -> None:
        """Look after it, unless that is done already."""
        if self._task is not None:
            return
        if self.process is not None:
            self._begin(self.process)
        self._task = asyncio.create_task(self._run())

    async def end(self) -> str:
        """Stop the miner and look after it no more. Why it does not end, or "" """
        await self._halt()
        self._guard.clear()
        return "" if await self._stop("another revision") else self.problem

    async def leave(self) -> None:
        """Look after it no more, and let it run."""
        await self._halt()
        if self.process is not None:
            self.process.forget()

    async def pause(self) -> None:
        """Invalid when there is nothing to pause."""
        running = self._running()
        if self.paused:
            return
        self.paused = PAUSED_BY_API if await control(self.plan, self._tools.asker, "pause") else PAUSED_BY_SIGNAL
        if self.paused == PAUSED_BY_SIGNAL:
            running.freeze()
        self._noted(running)
        self._voice.event("pause", "by command")

    async def resume(self) -> None:
        running = self._running()
        running.thaw()
        if self.paused == PAUSED_BY_API or not self.paused:
            await control(self.plan, self._tools.asker, "resume")
        self.paused = ""
        self._noted(running)
        self._guard.begin()
        self._voice.event("resume", "by command")

    def restart(self, why: str) -> None:
        self._restart, self._given_up, self._failures, self._not_before = why, False, 0, 0.0
        self._news.set()

    def set_stopped(self, stopped: bool) -> None:
        """Until the other is said, or a new revision comes."""
        self._tools.store.stop(self.plan.name, stopped)
        if not stopped:
            self._given_up, self._failures, self._not_before = False, 0, 0.0
        self._news.set()

    def rest_watching(self) -> None:
        """People work on the host, or no more."""
        self._guard.clear()
        if self._given_up and not self._tools.store.maintenance:
            self._guard.crash(self.problem)

    # What decides

    async def _run(self) -> None:
        while True:
            try:
                await self._decide()
            except Exception:  # a fault of this program: the miner goes on
                log.exception("miner %s", self.plan.name)
                await asyncio.sleep(self._tools.settings.retry_most_s)

    async def _decide(self) -> None:
        self._news.clear()
        why = self._why_not()
        if self.process is not None and self.process.ended.is_set():
            self._on_end(self.process)
        elif self.process is not None and (why or self._restart):
            await self._stop(why or self._restart)
            self._restart = ""
            if self._between is not None:
                await self._restart_driver(*self._between)
        elif why:
            self._say(why, self.problem if why == "failed" else "")
            self.settled.set()
            self._tell(None)
            await self._wait(min(SCHEDULE_S, self._tools.settings.poll_s))
        elif self.process is not None:
            await self._wait(SCHEDULE_S)
        elif (pause := self._not_before - self._now()) > 0:
            await self._wait(pause)
        else:
            self._restart = ""
            await self._launch()

    def _why_not(self) -> str:
        """The step of a miner that shall not run now, or "" """
        if self.plan.name in self._tools.store.stopped:
            return "stopped"
        if self._given_up:
            return "failed"
        # Without a zone: what the clock on the wall shows is meant.
        return "" if is_open(self.plan.told.get("schedule", []), datetime.now()) else "resting"

    async def _launch(self) -> None:
        self._say("starting")
        try:
            self._tools.places.reserve(self.plan)
            program = await self._tools.installer.ready(self.plan.program)
            launch = self._tools.places.launch(self.plan, program)
            mark = mark_of(self._tools.places.folder, self.plan.name, self.plan.digest)
            found = self._tools.processes.start(launch, mark)
        except (Invalid, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            self._on_failure(f"cannot be started: {reason}")
            return
        self.process, self.paused = found, ""
        self._noted(found)
        self._voice.event("start", f"pid {found.id.pid}")
        self._begin(found)

    def _begin(self, found: Process) -> None:
        self._begun = self._now()
        self._say("starting")
        found.watch(self._news.set)
        self._guard.begin()
        self._looking = asyncio.create_task(self._look())

    async def _stop(self, why: str) -> bool:
        """Whether it ended."""
        found = self.process
        if found is None:
            return True
        self._end_looks()
        if not await found.stop(self._tools.settings.stop_s):
            self._say("failed", "it does not end, even when killed: a driver holds it")
            self._guard.crash(self.problem)
            return False
        self._gone()
        self._voice.event("stop", why)
        return True

    def _on_end(self, found: Process) -> None:
        """It ended by itself."""
        self._end_looks()
        self._gone()
        if self._now() - self._begun >= self._tools.settings.steady_s:
            self._failures = 0
        code = found.code
        how = "ended" if code is None else f"ended with code {code}" if code >= 0 else f"was ended by signal {-code}"
        self._voice.event("crash", how)
        self._on_failure(how)

    def _on_failure(self, problem: str) -> None:
        settings = self._tools.settings
        self._failures += 1
        log.warning("miner %s %s", self.plan.name, problem)
        if self._failures < settings.crashes:
            pause = retry_pause(self._failures, settings.retry_s, settings.retry_most_s, random.random())
            self._not_before = self._now() + pause
            self._say("starting", problem)
            return
        self._given_up = True
        problem = f"{problem}; given up after {self._failures} times in a row"
        self._say("failed", problem)
        self._voice.event("give-up", problem)
        if not self._tools.store.maintenance:
            self._guard.crash(problem)

    def _gone(self) -> None:
        self.process, self.paused = None, ""
        self._tools.store.note(self.plan.name, None)
        self._tools.changed()

    # Looking at it

    async def _look(self) -> None:
        async for seen in self._looks.at(lambda: bool(self.paused)):
            if seen.works and self.step != "running":
                self._say("running")
                self._guard.crash("")
                self.settled.set()
            elif not seen.works and self.step == "starting":
                self._say("starting", seen.problem)
            if seen.works or seen.is_due:
                self._tell(seen.figures)
            grown_up = self.step == "running" or self._now() - self._begun > self.plan.grace_s
            if grown_up and seen.is_due and not self.paused and not self._tools.store.maintenance:
                for rule, deed, why in self._guard.look(seen.figures, seen.silent_s, self._now()):
                    await self._act(rule, deed, why)

    async def _act(self, rule: str, deed: str, why: str) -> None:
        is_noted = self._tools.store.count_deed(rule)
        self._voice.event("deed", f"{deed}: {why}")
        if deed == "restart-miner":
            self.restart(why)
        elif deed == "stop":
            self.set_stopped(True)
        elif deed == "reboot" and not is_noted:
            self._guard.note(rule, f"{why}: not done, since it could not be noted, and would be done again and again")
        elif deed == "restart-driver" and self._tools.settings.restart_driver:
            self._between = rule, why  # which no program that uses it survives
            self.restart(why)
        else:
            self._guard.note(rule, f"{why}: {await self._tools.deed(deed)}")

    async def _restart_driver(self, rule: str, why: str) -> None:
        self._between = None
        self._guard.note(rule, f"{why}: {await self._tools.deed('restart-driver')}")

    def _end_looks(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    # Small things

    def _running(self) -> Process:
        if self.process is None or self.process.ended.is_set():
            raise Invalid("do", f"miner {self.plan.name} does not run: it is {self.step}")
        return self.process

    def _noted(self, found: Process) -> None:
        self._tools.store.note(self.plan.name, found.id, self.plan.digest, self.paused)

    def _say(self, step: str, problem: str = "") -> None:
        if (step, problem) != (self.step, self.problem):
            self.step, self.problem = step, problem
            self._tools.changed()

    def _tell(self, figures: Figures | None) -> None:
        self._voice.figures(self.process is not None, bool(self.paused), figures)

    async def _halt(self) -> None:
        self._end_looks()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
