"""One ASIC under watch: looked at again and again, what it says sent on, its watchdog asked. Nothing here waits for
another ASIC.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from sentry.birth import now_ms
from sentry.events import Event
from sentry.extras import Alarm, Wish
from sentry.mining import watchdog
from sentry.mining.asic_changes import Change, Look, changes
from sentry.mining.asic_look import Looker
from sentry.mining.asic_settings import AsicSettings
from sentry.mining.figures import Figures, readings, state_of
from sentry.mining.miners import BadAnswer, NoAnswer
from sentry.mining.watchdog import Seen
from sentry.reading import Reading

log = logging.getLogger(__name__)

OFFLINE_AFTER = 2  # looks in vain: one may be a lost packet
DEEDS = {"restart-miner": ("restart", "reboot"), "reboot": ("reboot", "restart"), "stop": ("sleep",)}


class Voice(Protocol):
    """What an ASIC under watch may say."""

    def measured(self, found: list[Reading]) -> None: ...
    def tell(self, wish: Wish) -> None: ...
    def note(self, device: str, level: str, text: str) -> None: ...
    def announce(self, watched: "Watched") -> None: ...


class Watched:
    """``record``: an `asic` of schema/asics.py; ``obey(watched, do)``: how its watchdog has something done."""

    def __init__(
        self,
        record: Mapping[str, Any],
        settings: AsicSettings,
        looker: Looker,
        voice: Voice,
        obey: "Callable[[Watched, tuple[str, ...]], Awaitable[str]]",
    ) -> None:
        self.record, self.name, self.device = record, str(record["name"]), f"asic-{record['name']}"
        self.look: Look | None = None  # the last one that counts
        self._settings, self._looker, self._voice, self._obey = settings, looker, voice, obey
        self._kept: dict[int, bytes] = {}
        self._kept_at = self._answered_at = time.monotonic()
        self._failures = 0
        self._boards = 0  # most that were ever seen
        self._older: deque[tuple[float, tuple[int, int]]] = deque()  # when, accepted and rejected
        self._rules: list[Mapping[str, Any]] = list(record.get("watchdog", ()))
        self._memories = [watchdog.Memory() for _ in self._rules]
        self._deeds: list[deque[float]] = [deque(maxlen=60) for _ in self._rules]
        self._judged = False
        self.soon = asyncio.Event()

    async def run(self, after_s: float, gate: asyncio.Semaphore) -> None:
        """Look until cancelled; the first time after so many seconds."""
        poll_s = float(self.record.get("poll_s", self._settings.poll_s))
        due = time.monotonic() + after_s
        while True:
            await self._rest(due - time.monotonic())
            async with gate:
                try:
                    await self._see()
                except Exception:  # a fault of this program must not end the watch
                    log.exception("%s", self.device)
            # One that does not answer holds one of the few places for long: it is asked less often.
            pause = (
                poll_s if not self._failures else min(poll_s * 2**self._failures, max(poll_s, self._settings.seldom_s))
            )
            due = max(due + pause, time.monotonic())

    def said(self) -> dict[str, str]:
        """For `reported/asics`."""
        if self.look is None:
            return {"state": "waiting"}
        if self.look.figures is None:
            return {"state": "offline", "problem": self.look.problem[:80]}
        told = {name: str(self.look.figures.extra.get(name) or "")[:40] for name in ("model", "firmware")}
        return {"state": state_of(True, self.look.figures), **{name: text for name, text in told.items() if text}}

    def forget(self) -> None:
        """Take back its alerts."""
        for rule in self._rules:
            self._voice.tell(Alarm(self._alarm(rule), ""))

    async def _rest(self, seconds: float) -> None:
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self.soon.wait()
        except TimeoutError:
            pass
        self.soon.clear()

    async def _see(self) -> None:
        now = time.monotonic()
        if now - self._kept_at > self._settings.seldom_s:
            self._kept, self._kept_at = {}, now
        figures, problem = None, ""
        try:
            figures = await self._looker.look(
                self.record["type"], self.record["host"], self.record.get("port", 0), self._kept
            )
        except (NoAnswer, BadAnswer) as error:
            problem = str(error)
            self._failures = min(self._failures + 1, 10)
            self._kept = {}
        else:
            self._failures, self._answered_at = 0, time.monotonic()
            self._boards = max(self._boards, len(figures.cards))
        if figures or self._failures >= OFFLINE_AFTER or self.look is None:
            self._on_look(figures, problem)
        await self._judge(figures)

    def _on_look(self, figures: Figures | None, problem: str) -> None:
        rejects = self._rejects(figures)
        before, self.look = self.look, Look(figures, problem, rejects)
        state = state_of(True, figures) if figures else "offline"
        if figures or before is None or before.figures:
            self._voice.measured(readings(self.device, state, self._with_expected(figures)))
        found = changes(before, self.look)
        for each in found:
            self.say(each)
        if before is None or any(each.what in ("online", "offline", "model", "firmware") for each in found):
            self._voice.announce(self)

    def say(self, change: Change) -> None:
        """To the log, and as an event."""
        self._voice.note(self.device, change.level, f"{self.device}: {change.text}")
        fields = {"what": change.what, "text": change.text[:512]}
        self._voice.tell(Event("evt", "asic", now_ms(), fields, self.device))

    def _with_expected(self, figures: Figures | None) -> Figures | None:
        if figures is None or "expected" not in self.record:
            return figures
        extra = {**figures.extra, "expected": self.record["expected"]}
        return Figures(
            figures.software, figures.version, figures.uptime_s, figures.algorithms, figures.cards, figures.power,
            figures.paused, extra,
        )  # fmt: skip

    def _rejects(self, figures: Figures | None) -> float | None:
        """% of the shares of the last minutes."""
        if figures is None:
            return None
        now, shares = time.monotonic(), watchdog.shares(figures)
        if self._older and min(new - old for new, old in zip(shares, self._older[-1][1], strict=True)) < 0:
            self._older.clear()  # counts begin anew
        while len(self._older) > 1 and now - self._older[1][0] > watchdog.REJECTS_OVER_S:
            self._older.popleft()
        if not self._older or now - self._older[-1][0] > watchdog.REJECTS_OVER_S / 10:
            self._older.append((now, shares))
        return watchdog.value_of({"watch": "rejects"}, Seen(figures, since=self._older[0][1]))

    async def _judge(self, figures: Figures | None) -> None:
        now = time.monotonic()
        seen = Seen(figures, 0.0 if figures else now - self._answered_at)
        for number, rule in enumerate(self._rules):
            rejects = self.look.rejects if self.look and figures else None
            value = rejects if rule["watch"] == "rejects" else watchdog.value_of(rule, seen)
            deeds = sum(now - at < watchdog.HOUR_S for at in self._deeds[number])
            self._memories[number], verdict = watchdog.judge(
                rule, self._memories[number], value, now, self._boards, deeds
            )
            if verdict is None:
                if not self._judged:
                    self._voice.tell(Alarm(self._alarm(rule), ""))  # what an earlier start may have raised
                continue
            text = verdict.alert
            if verdict.deed:
                self._deeds[number].append(now)
                text += f": {await self._obey(self, DEEDS.get(verdict.deed, ()))}"
            self._voice.tell(Alarm(self._alarm(rule), f"{self.device}: {text}" if text else "", "error"))
            if text:
                self.say(Change("watchdog", "error", text))
        self._judged = True

    def _alarm(self, rule: Mapping[str, Any]) -> str:
        return f"{self.device}-{rule['watch']}"
