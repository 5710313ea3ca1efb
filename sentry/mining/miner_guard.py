"""The watchdog of one miner: hands what is seen to the rules (watchdog.py), and raises and clears their alerts."""

from collections import deque
from collections.abc import Callable

from sentry.extras import Alarm
from sentry.mining.figures import Figures
from sentry.mining.miner_plan import Plan
from sentry.mining.watchdog import REJECTS_OVER_S, Memory, Seen, judge, shares, value_of

CRASH = "crash"


class Guard:
    """``tell`` takes alarms; ``deeds(rule)``: how often it has acted in the last hour."""

    def __init__(self, plan: Plan, tell: Callable[[Alarm], None], deeds: Callable[[str], int]) -> None:
        self._plan, self._tell, self._deeds = plan, tell, deeds
        self._rules = list(enumerate(plan.watchdog))
        self._memories = {number: Memory() for number, _ in self._rules}
        self._texts: dict[str, str] = {}
        # Nobody knows what an earlier start of the sentry has raised.
        self._said: dict[str, str] = dict.fromkeys([CRASH, *(watch["watch"] for _, watch in self._rules)], "?")
        for name in self._said:
            self._say(name, "")
        self.begin()

    def begin(self) -> None:
        """The miner starts: its counters do, too, and what is wrong has to be wrong anew."""
        self._shares: deque[tuple[float, tuple[int, int]]] = deque()
        self._memories = {number: Memory(None, m.raised, m.limited) for number, m in self._memories.items()}

    def look(self, figures: Figures | None, silent_s: float, now: float) -> list[tuple[str, str, str]]:
        """(rule, deed, why) of what shall be done now. ``now``: s of a clock that never jumps."""
        longest = max([REJECTS_OVER_S, *(watch["for_s"] for _, watch in self._rules)])
        while len(self._shares) > 1 and self._shares[1][0] <= now - longest:
            self._shares.popleft()
        seen = Seen(figures, silent_s, self._shares[0][1] if self._shares else (0, 0))
        if figures is not None and (not self._shares or now - self._shares[-1][0] >= longest / 100):
            self._shares.append((now, shares(figures)))
        found: list[tuple[str, str, str]] = []
        gpus = self._plan.told.get("gpus", 0)
        for number, watch in self._rules:
            rule = self._rule(number)
            value = value_of(watch, seen)
            memory, verdict = judge(watch, self._memories[number], value, now, gpus, self._deeds(rule))
            self._memories[number] = memory
            if verdict is not None:
                self.note(rule, verdict.alert)
                if verdict.deed:
                    found.append((rule, verdict.deed, verdict.alert))
        return found

    def note(self, rule: str, text: str) -> None:
        """What is wrong by one rule; "" when all is well. Rules that look at the same share an alert."""
        self._texts[rule] = text
        (watch,) = (each["watch"] for number, each in self._rules if self._rule(number) == rule)
        texts = [self._texts.get(self._rule(number), "") for number, each in self._rules if each["watch"] == watch]
        self._say(watch, "; ".join(each for each in texts if each))

    def crash(self, text: str) -> None:
        self._say(CRASH, text)

    def clear(self) -> None:
        """All alerts: the miner goes, or people work on the host."""
        self._memories = {number: Memory() for number, _ in self._rules}
        self._texts.clear()
        for name in self._said:
            self._say(name, "")

    def _rule(self, number: int) -> str:
        return f"{self._plan.name}-{number}"

    def _say(self, name: str, text: str) -> None:
        if self._said[name] != text:
            self._said[name] = text
            severity = "error" if name == CRASH else "warning"
            self._tell(Alarm(f"miner-{self._plan.name}-{name}", text and f"miner {self._plan.name}: {text}", severity))
