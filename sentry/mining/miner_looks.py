"""Looks at a running miner: quickly at first, then every `poll_s`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from sentry.mining import miner_log, miners
from sentry.mining.ask import Asker
from sentry.mining.figures import Figures
from sentry.mining.miner_plan import Plan
from sentry.mining.miner_settings import MinerSettings
from sentry.mining.miners import BadAnswer, NoAnswer

log = logging.getLogger(__name__)

FIRST_S = 0.1
SLOWER = 1.25
MOST_EAGER_S = 2.0
NODES = ("monerod",)
ALIVE_S = 2.0  # so long a miner that cannot be asked must live to count as working


@dataclass(frozen=True, slots=True)
class Look:
    """``is_due``: it is one of the regular ones; ``silent_s``: s since it last answered."""

    figures: Figures | None
    works: bool
    problem: str
    is_due: bool
    silent_s: float


class Looks:
    def __init__(self, plan: Plan, asker: Asker, log: Path, settings: MinerSettings) -> None:
        self._plan, self._asker, self._log, self._settings = plan, asker, log, settings

    async def at(self, is_paused: Callable[[], bool]) -> AsyncIterator[Look]:
        """For as long as it runs, which is not looked at here."""
        begun = answered = self._now()
        due = begun + min(1.0, self._settings.poll_s)
        pause, worked = FIRST_S, False
        while True:
            await asyncio.sleep(max(0.0, min(pause, due - self._now())) if not worked else due - self._now())
            figures, problem = await self._ask(is_paused())
            now = self._now()
            if figures is not None or self._plan.told["adapter"] == "none":
                answered = now
            works = self._works(figures, now - begun)
            if is_due := now >= due:
                due = now + self._settings.poll_s
                await asyncio.to_thread(miner_log.bound, self._log, self._settings.log_bytes)
            yield Look(figures, works, problem, is_due, now - answered)
            worked = worked or works
            pause = min(pause * SLOWER, MOST_EAGER_S)

    async def _ask(self, paused: bool) -> tuple[Figures | None, str]:
        told = self._plan.told
        if told["adapter"] == "none":
            return None, ""
        if paused:  # it may be frozen, so nobody could answer
            return Figures(told["software"], told["release"], paused=True), ""
        try:
            adapter = miners.adapter(told["adapter"])
            return await self._asker.figures(adapter, "127.0.0.1", self._plan.port, self._plan.token), ""
        except (NoAnswer, BadAnswer) as error:
            return None, str(error)
        except Exception as error:  # a fault of its adapter must not end the looks
            log.exception("miner %s", self._plan.name)
            return None, f"a fault of this program: {error}"

    def _works(self, figures: Figures | None, age_s: float) -> bool:
        """Hashing; or, of a node, which may first have to load its chain for days, answering."""
        if self._plan.told["adapter"] == "none":
            return age_s >= ALIVE_S
        if figures is None:
            return False
        if self._plan.told["adapter"] in NODES or not figures.algorithms:
            return True
        return any((each.hashrate or 0) > 0 for each in figures.algorithms)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
