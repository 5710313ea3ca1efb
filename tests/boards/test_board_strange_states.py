"""States that do what no state should: end the program, hear no end, answer with more than a message holds."""

import asyncio
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from schema.message import MAX_PAYLOAD, is_json
from sentry.boards.console import Console
from sentry.boards.core import State, register, reservable
from sentry.boards.faults import tellable
from sentry.boards.tty import LONGEST_LINE, Tty
from tests.boards.bench import SERIAL, Bench, Tell
from tests.boards.small_board import SmallBoard
from tests.support.waiting import PATIENCE

QUICK: dict[str, Any] = {"failures": 1, "quarantine_s": 600}


pytestmark = pytest.mark.usefixtures("own_kinds")


class Strange(State):
    firmware = "pulse_count"


class ExitsInEnter(Strange):
    async def enter(self) -> None:
        sys.exit(3)


class ExitsInGreeting(Strange):
    def greeting(self) -> Mapping[str, Any]:
        sys.exit(3)


class ExitsInWork(Strange):
    async def enter(self) -> None:
        self.begin(self.work())

    async def work(self) -> None:
        sys.exit(3)


class Gone(Strange):
    async def enter(self) -> None:
        work = asyncio.create_task(asyncio.sleep(3600))
        work.cancel()
        await work


class Muttering(Strange):
    async def enter(self) -> None:
        raise RuntimeError("it said \0")


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (ExitsInEnter, "ExitsInEnter: SystemExit(3)"),
        (ExitsInGreeting, "ExitsInGreeting: SystemExit(3)"),
        (ExitsInWork, "ExitsInWork: SystemExit(3)"),
        (Gone, "Gone: CancelledError"),
        (Muttering, "Muttering: it said ?"),
    ],
)
def test_a_state_that_ends_more_than_itself_breaks_its_board_alone(state: Any, problem: str, tell: Tell) -> None:
    reservable("strange")(state)

    async def story(bench: Bench, _: SmallBoard) -> None:
        bench.lease("l1", "strange")
        assert await bench.expect("failure") == {"problem": problem}
        await bench.expect("state", to="quarantine")

    tell(story, **QUICK)


def test_what_no_message_holds_is_told_without_it() -> None:
    assert tellable("it said \0 \udcff") == "it said ? ?"


class ExitsAtBirth(Strange):
    def __init__(self, board: Any) -> None:
        super().__init__(board)
        sys.exit(3)


def test_one_that_ends_the_program_when_it_is_made_is_refused(tell: Tell) -> None:
    reservable("strange")(ExitsAtBirth)

    async def story(bench: Bench, _: SmallBoard) -> None:
        bench.lease("l1", "strange")
        assert "cannot be made" in (await bench.expect("failure"))["problem"]
        await bench.expect("state", to="ready")

    tell(story)


class Odd(Strange):
    heard: ClassVar[asyncio.Event]

    @register("leave-all")
    async def leave_all(self) -> None:
        sys.exit(3)

    @register("stay")
    async def stay(self) -> None:
        self.tell("staying")
        while not self.heard.is_set():
            try:
                await self.heard.wait()
            except BaseException:  # as people write it
                self.tell("stayed")

    @register("answer", "size")
    async def answer(self, size: int) -> list[str]:
        return ["x" * 1000] * size

    @register("shout", "size")
    async def shout(self, size: int) -> None:
        self.tell("shouted", lines=["x" * 1000] * size)

    @register("fail", "size")
    async def fail(self, size: int) -> None:
        raise RuntimeError("x" * size)

    calls = 0

    @register("count")
    async def count(self) -> int:
        self.calls += 1
        return self.calls


def call(bench: Bench, method: str, serials: Sequence[str] = (SERIAL,), **args: Any) -> Any:
    order = {"serials": serials, "lease": "l1", "method": method, "args": args, "files": []}
    return asyncio.create_task(bench.manager.call(order))


def test_methods_that_do_what_no_method_should(tell: Tell) -> None:
    reservable("odd")(Odd)

    async def story(bench: Bench, _: SmallBoard) -> None:
        bench.lease("l1", "odd")
        await bench.expect("initialized")
        assert "SystemExit(3)" in (await call(bench, "leave-all"))["problems"][SERIAL]
        assert len((await call(bench, "answer", size=100))["answers"][SERIAL]) == 100
        assert "answer: " in (await call(bench, "answer", size=MAX_PAYLOAD // 1000))["problems"][SERIAL]
        assert "event shouted: " in (await call(bench, "shout", size=MAX_PAYLOAD // 1000))["problems"][SERIAL]
        assert len((await call(bench, "fail", size=1_000_000))["problems"][SERIAL]) <= 512
        await call(bench, "shout", size=100)
        await bench.expect("shouted")
        assert (await call(bench, "count", [SERIAL, SERIAL]))["answers"] == {SERIAL: 1}
        assert bench.report()["state"] == "leased"

    tell(story)


def test_a_method_that_hears_no_end_keeps_its_board_from_nobody(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentry.boards.work.HOOK_S", 0.2)
    reservable("odd")(Odd)

    async def story(bench: Bench, _: SmallBoard) -> None:
        Odd.heard = asyncio.Event()
        bench.lease("l1", "odd")
        await bench.expect("initialized")
        staying = call(bench, "stay")
        await bench.expect("staying")
        bench.lease("l2", "odd")
        await bench.expect("initialized")
        async with asyncio.timeout(PATIENCE):
            assert (await staying)["codes"] == {SERIAL: "given-up"}
        Odd.heard.set()

    tell(story)


def test_whatever_a_board_says_can_be_told() -> None:
    master, slave = os.openpty()

    async def story() -> None:
        with Tty(Path(os.ttyname(slave)), Console()) as tty:
            os.write(master, b"\0boot\xff 3\0\n")
            is_json("line", await tty.line_with(lambda line: "boot" in line, PATIENCE))
            await asyncio.to_thread(os.write, master, b"pulses: " + b"1" * LONGEST_LINE + b"\n")
            assert not re.fullmatch(r"pulses: \d+", await tty.line_with(bool, PATIENCE))  # cut, it is another number

    try:
        asyncio.run(story())
    finally:
        os.close(slave)
        os.close(master)
