"""What is said of one miner: its figures, and what happened to it."""

from collections.abc import Callable

from sentry.birth import now_ms
from sentry.events import Event
from sentry.extras import Wish
from sentry.measure import Measured
from sentry.mining.figures import Figures, readings, state_of
from sentry.mining.miner_plan import Plan


class Voice:
    def __init__(self, plan: Plan, tell: Callable[[Wish], None]) -> None:
        self._plan, self._tell = plan, tell

    def figures(self, running: bool, paused: bool, figures: Figures | None) -> None:
        if running and self._plan.told["adapter"] == "none":
            state = "inactive" if paused else "online"  # that it runs is all there is to know
        else:
            state = state_of(running, figures)
        self._tell(Measured(readings(self._plan.device, state, figures)))

    def event(self, did: str, why: str) -> None:
        fields = {"name": self._plan.name, "did": did, "why": why[:512], "release": self._plan.told["release"]}
        self._tell(Event("evt", "miner", now_ms(), fields, self._plan.device))
