"""States of somebody else: hooks and methods as people write them, and what their faults do."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sentry.boards.core import KINDS, State, reservable
from sentry.boards.states import load_kinds
from tests.boards.bench import SERIAL, Bench, Tell
from tests.boards.small_board import SmallBoard

QUICK: dict[str, Any] = {"failures": 2, "heal_s": 0.05, "quarantine_s": 600}


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    """The states of a test are offered in it alone."""
    load_kinds()
    before = dict(KINDS)
    yield
    KINDS.clear()
    KINDS.update(before)


class Strange(State):
    """Its firmware is there, and its faults are those of its subclasses."""

    firmware = "pulse_count"


class BadGreeting(Strange):
    def greeting(self) -> Mapping[str, Any]:
        raise RuntimeError("no words")


class BadWords(Strange):
    def greeting(self) -> Mapping[str, Any]:
        return {"words": object()}


class BadEnter(Strange):
    def enter(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise RuntimeError("no way in")


class BadLook(Strange):
    shown = object()  # pyright: ignore


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (BadGreeting, "BadGreeting: no words"),
        (BadWords, "BadWords: event initialized: "),
        (BadEnter, "BadEnter: no way in"),
        (BadLook, "TypeError: object of type"),
    ],
)
def test_a_fault_at_the_beginning_is_a_failure_and_then_quarantine(state: Any, problem: str, tell: Tell) -> None:
    reservable("strange")(state)

    async def story(bench: Bench, board: SmallBoard) -> None:
        bench.lease("l1", "strange")
        assert problem in (await bench.expect("failure"))["problem"]
        await bench.expect("state", to="broken")
        await bench.expect("state", to="quarantine")
        assert board.flashed == ["default", "pulse_count"] * 2
        assert not bench.said("initialized")
        assert len(bench.said("failure")) <= 2
        assert bench.report()["failures"] == 2

    tell(story, **QUICK)


class Plain(Strange):
    """All hooks without `async`."""

    told: list[str]

    def enter(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.told = ["enter"]
        return "no state"

    def greeting(self) -> Mapping[str, Any]:
        return {"words": "hello"}

    def on_add(self, device: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.told.append("add")

    def on_remove(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.told.append("remove")

    def lost(self, problem: str) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.tell("lost", problem=problem)

    def leave(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.told.append("leave")


def test_hooks_without_async(tell: Tell) -> None:
    reservable("plain")(Plain)

    async def story(bench: Bench, board: SmallBoard) -> None:
        bench.lease("l1", "plain")
        await bench.expect("initialized", words="hello")
        await bench.expect("state", to="leased")
        state: Any = bench.manager._boards[SERIAL].state
        board.unplug()
        await bench.expect("lost", problem="unplugged")
        await bench.expect("unplugged")
        assert state.told == ["enter", "remove", "leave"]
        board.plug()
        await bench.expect("initialized", words="hello")
        assert not bench.report().get("problem")

    tell(story)
