"""ASICs of makers that only the library `pyasic` knows (Whatsminer, Avalon, Goldshell, ePIC, ...), behind the same
Figures. Optional: `pip install 'farmhand[asic]'`. Its authors keep it no longer up to date.

It finds out what an ASIC is by itself, and by fixed ports only.
"""

import asyncio
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sentry.mining.figures import Algorithm, Card, Figures
from sentry.mining.miners import BadAnswer, NoAnswer
from sentry.reading import Scalar

# It asks several ports and pages before it knows what an ASIC is.
FIND_TIMES = 4
CONTROLS = {"reboot": "reboot", "restart": "restart_backend", "sleep": "stop_mining", "wake": "resume_mining"}


class Backend:
    """``answer_s``: longest time for one look."""

    controls = (*CONTROLS, "power_limit")

    def __init__(self, answer_s: float) -> None:
        self.installed = find_spec("pyasic") is not None
        self._answer_s = answer_s
        self._known: dict[str, Any] = {}

    async def figures(self, host: str) -> Figures:
        """NoAnswer, BadAnswer."""
        miner = await self._miner(host)
        try:
            data = await self._within(host, miner.get_data(exclude=["config"]))
        except NoAnswer:
            self._known.pop(host, None)  # another may stand there when it comes back
            raise
        try:
            return converted(data)
        except (AttributeError, TypeError, ValueError) as error:
            raise BadAnswer("pyasic", f"{type(error).__name__}: {error}"[:200]) from None

    async def control(self, host: str, do: str, value: float | None) -> str:
        """What it says to it. NoAnswer; BadAnswer when it says no."""
        miner = await self._miner(host)
        work = miner.set_power_limit(int(value or 0)) if do == "power_limit" else getattr(miner, CONTROLS[do])()
        if not await self._within(host, work):
            raise BadAnswer(do, f"{type(miner).__name__} did not do it, or cannot")
        return "done"

    async def _miner(self, host: str) -> Any:
        if not self.installed:
            raise NoAnswer("type pyasic needs the library: pip install 'farmhand[asic]'")
        if host not in self._known:
            library: Any = import_module("pyasic")
            found = await self._within(host, library.get_miner(host), FIND_TIMES)
            if found is None:
                raise NoAnswer(f"{host}: pyasic finds no ASIC that it knows")
            self._known[host] = found
        return self._known[host]

    async def _within(self, host: str, work: Any, times: int = 1) -> Any:
        try:
            async with asyncio.timeout(self._answer_s * times):
                return await work
        except TimeoutError:
            raise NoAnswer(f"{host}: no whole answer within {self._answer_s * times:g} s") from None
        except Exception as error:  # the library's errors have no common base
            raise NoAnswer(f"{host}: {type(error).__name__}: {error}"[:300]) from None


def converted(data: Any) -> Figures:
    """Figures of a MinerData."""
    pool = next((each for each in data.pools if each.active), data.pools[0] if data.pools else None)
    algorithm = Algorithm(
        name=str(data.algo or "").lower(),
        hashrate=_rate(data.hashrate),
        accepted=_sum(data.pools, "accepted"),
        rejected=_sum(data.pools, "rejected"),
        pool=str(pool.url or "") if pool else "",
        user=str(pool.user or "") if pool else "",
    )
    cards = tuple(
        Card(name=f"board {board.slot}", hashrate=_rate(board.hashrate), temp=board.chip_temp or board.temp)
        for board in data.hashboards
        if not board.missing
    )
    speeds = [fan.speed for fan in data.fans if fan.speed]
    extra: dict[str, Scalar] = {
        "model": " ".join(str(each) for each in (data.make, data.model) if each),
        "firmware": str(data.fw_ver or data.firmware or ""),
        "fault": "; ".join(str(each.error_message) for each in data.errors)[:512],
        "expected": _rate(data.expected_hashrate),
        "power_limit": data.wattage_limit,
        "mac": data.mac,
    }
    if speeds:
        extra |= {"fans": len(speeds), "fan_rpm": min(speeds)}
    uptime = int(data.uptime) if data.uptime is not None else None
    return Figures(
        "pyasic", str(data.api_ver or ""), uptime, (algorithm,), cards, data.wattage, not data.is_mining, extra
    )


def _rate(told: Any) -> float | None:
    """H/s; it keeps a number and a unit."""
    with suppress(AttributeError, TypeError, ValueError):
        return float(told.rate) * int(told.unit)
    return None


def _sum(pools: Any, name: str) -> int | None:
    counts = [count for pool in pools if (count := getattr(pool, name)) is not None]
    return sum(counts) if counts else None
