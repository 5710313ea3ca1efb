"""States of somebody else: hooks and methods as people write them, and what their faults do."""

import asyncio
import re
import threading
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from schema.boards import FARM_EVENTS
from sentry.boards.core import AbstractState, State, register, reservable
from sentry.boards.faults import Refused
from tests.boards.bench import SERIAL, Bench, Tell
from tests.boards.small_board import SmallBoard
from tests.conftest import ROOT
from tests.support.waiting import PATIENCE, wait_until

QUICK: dict[str, Any] = {"failures": 2, "heal_s": 0.05, "quarantine_s": 600}


pytestmark = pytest.mark.usefixtures("own_kinds")


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


def test_a_state_as_icefarm_has_them(tell: Tell) -> None:
    """No firmware of its own, words for parameters in their order, nothing asynchronous."""

    @reservable("example-state", "message")
    class ExampleState(AbstractState):  # pyright: ignore[reportUnusedClass]
        def __init__(self, state: Any, message: str) -> None:
            super().__init__(state)
            self.message = message

        @AbstractState.register("getdata", "data", "times")
        def receive(self, payload: str, number: int = 1) -> str:
            return f"{self.message} {payload}" * number

        @register("swapped", "b", "a")
        def swapped(self, a: str, b: str) -> str:
            return a + b

    async def story(bench: Bench, board: SmallBoard) -> None:
        bench.lease("l1", "example-state", message="hello")
        await bench.expect("initialized")
        state: Any = bench.manager._boards[SERIAL]
        assert await state.call("l1", "getdata", {"data": "you"}, {}) == "hello you"
        assert await state.call("l1", "getdata", {"times": 2, "data": "!"}, {}) == "hello !hello !"
        assert await state.call("l1", "swapped", {"a": "1", "b": "2"}, {}) == "12"
        with pytest.raises(Refused, match=r"args\.payload: unknown argument of getdata; allowed: data, times"):
            await state.call("l1", "getdata", {"payload": "you"}, {})
        assert set(board.flashed) == {"default"}

    tell(story)


def takes_one(self: Any, first: str, second: str = "") -> None: ...


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: reservable("example state"), r"kind 'example state': must match \[a-z0-9\]"),
        (lambda: register("get data", "first"), r"method 'get data': must match \[a-z0-9\]"),
        (lambda: register("Data", "first"), "method 'Data': must match"),
        (lambda: register("data", "a", "b", "c")(takes_one), r"method data: 3 words \(a, b, c\) for 2 parameters"),
        (lambda: register("data")(takes_one), "method data: no word for its parameter first"),
        (lambda: register("data", "second")(takes_one), "method data: no word for its parameter first"),
        (lambda: register("data", "a", "a")(takes_one), "method data: a word is there twice"),
    ],
)
def test_what_nobody_could_call_or_reserve(make: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        make()


def test_events_that_are_not_a_states(tell: Tell) -> None:
    noted = [
        word
        for path in (ROOT / "commander" / "boards").glob("*.py")
        for word in re.findall(r'note\(\w+, "([a-z-]+)"|"what": "([a-z-]+)"', path.read_text())
    ]
    assert noted
    assert {one or other for one, other in noted} <= set(FARM_EVENTS)

    @reservable("telling", "event")
    class Telling(Strange):  # pyright: ignore[reportUnusedClass]
        @register("say", "event")
        async def say(self, event: str) -> None:
            self.tell(event, results="any")

    async def story(bench: Bench, _: SmallBoard) -> None:
        bench.lease("l1", "telling")
        await bench.expect("initialized")
        board = bench.manager._boards[SERIAL]
        for word in FARM_EVENTS:
            with pytest.raises(ValueError, match=f"event {word}: the farm's own"):
                await board.call("l1", "say", {"event": word}, {})
        await board.call("l1", "say", {"event": "results"}, {})
        await bench.expect("results", results="any")

    tell(story)


class Slow(Strange):
    """Methods that take as long as the test wants."""

    go: ClassVar[threading.Event]
    over: ClassVar[list[str]]

    @register("wait")
    async def wait(self) -> None:
        self.tell("waiting")
        try:
            await asyncio.Event().wait()
        finally:
            self.over.append("wait")

    @register("block", "what")
    def block(self, what: str) -> str:
        self.tell("blocking", what=what)
        assert self.go.wait(PATIENCE)
        self.tell("blocked", what=what)
        self.begin(self.later(what))
        if what == "old":
            self.board.restart()
        self.over.append(what)
        return what

    async def leave(self) -> None:
        """Slow enough for calls to come meanwhile."""
        board = self.board
        with pytest.raises(Refused, match="takes no calls"):
            await board.call(board.lease.id if board.lease else "", "wait", {}, {})
        self.over.append("left")

    async def later(self, what: str) -> None:
        self.over.append("later " + what)
        self.tell("later", what=what)


def make_slow() -> None:
    Slow.go, Slow.over = threading.Event(), []
    reservable("slow")(Slow)


def test_methods_end_with_their_state(tell: Tell) -> None:
    make_slow()

    async def story(bench: Bench, _: SmallBoard) -> None:
        bench.lease("l1", "slow")
        await bench.expect("initialized")
        call = {"serials": [SERIAL], "lease": "l1", "args": {}, "files": []}
        one = asyncio.create_task(bench.manager.call({**call, "method": "wait"}))
        await bench.expect("waiting")
        two = asyncio.create_task(bench.manager.call({**call, "method": "block", "args": {"what": "old"}}))
        await bench.expect("blocking")
        bench.lease("l2", "slow")
        for each, method in ((one, "wait"), (two, "block")):
            async with asyncio.timeout(PATIENCE):
                answer = await each
            problem = f"{SERIAL} went on to something else before {method} was done"
            assert answer == {"answers": {}, "problems": {SERIAL: problem}, "codes": {SERIAL: "given-up"}}
        await bench.expect("initialized")
        Slow.go.set()
        await asyncio.to_thread(wait_until, "the old thread", lambda: Slow.over == ["wait", "left", "old"])
        answer = await bench.manager.call({**call, "lease": "l2", "method": "block", "args": {"what": "new"}})
        assert answer == {"answers": {SERIAL: "new"}}
        await bench.expect("later", what="new")
        assert bench.said("blocked") == bench.said("later") == [{"what": "new"}]
        assert sorted(Slow.over[3:]) == ["later new", "new"]  # and nothing begun or left because of the old one

    tell(story)


def test_a_method_that_blocks_holds_up_nothing_else(tell: Tell) -> None:
    make_slow()

    async def story(bench: Bench, _: SmallBoard) -> None:
        bench.lease("l1", "slow")
        await bench.expect("initialized")
        board = bench.manager._boards[SERIAL]
        calls = [asyncio.create_task(board.call("l1", "block", {"what": what}, {})) for what in ("a", "b")]
        await bench.expect("blocking", what="a")
        other = SmallBoard(bench.bus, "e6616407e4")
        other.plug()
        try:
            await bench.expect("plugged")
            await bench.expect("state", to="ready")
        finally:
            other.unplug()
        assert len(bench.said("blocking")) == 1  # the second one waits for the first
        Slow.go.set()
        assert await asyncio.gather(*calls) == ["a", "b"]

    tell(story)
