"""The console of a board: what is kept, what a message takes, what a stranger may answer, the pace of a replay."""

import asyncio
import itertools
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commander.boards.orders import seen
from commander.console_cli import paced
from schema.boards import CONSOLE_LINES, CONSOLE_PART, CONSOLE_TEXT
from schema.fleet import ACK
from schema.wire import dumps, encode
from sentry.boards.console import Console
from sentry.boards.tty import Tty
from tests.boards.test_calls import ANYTHING
from tests.support.waiting import PATIENCE

NOW = 1_700_000_000_000


def console(*lines: str) -> Console:
    """A line each millisecond."""
    clock = itertools.count(NOW)
    made = Console(lambda: next(clock))
    for line in lines:
        made.said(line)
    return made


def texts(found: Console) -> list[str]:
    return [line["text"] for line in all_of(found)]


def all_of(found: Console, after: int = 0) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    while True:
        part = found.part(lines[-1]["n"] if lines else after)
        lines += part["lines"]
        if not part["more"]:
            return lines


@given(st.lists(st.integers(0, 2 * CONSOLE_LINES), max_size=6))
def test_who_follows_sees_the_newest_lines_once_and_in_order(bursts: list[int]) -> None:
    found, said, seen_before = console(), 0, 0
    for burst in bursts:
        for number in range(said, said + burst):
            found.said(str(number))
        said += burst
        lines = all_of(found, seen_before)
        assert [line["text"] for line in lines] == [str(each) for each in range(max(0, said - burst), said)][
            -CONSOLE_LINES:
        ]
        numbers = [line["n"] for line in lines]
        assert numbers == list(range(found._last - len(lines) + 1, found._last + 1))
        seen_before = found._last
    assert len(all_of(found)) == min(said, CONSOLE_LINES)


def test_a_restarted_sentry_is_followed_on_whatever_its_clock_says() -> None:
    before = all_of(console("old"))[-1]["n"]
    later = Console(lambda: NOW + 60_000)
    later.said("new")
    assert [line["text"] for line in all_of(later, before)] == ["new"]
    back = Console(lambda: NOW - 60_000)
    back.said("new")
    assert [line["text"] for line in all_of(back, before)] == ["new"]


@pytest.mark.parametrize("character", ['"', "\x1b", "\U0001f600", "\u202e"])
def test_the_worst_part_fits_a_message_and_does_no_harm(character: str) -> None:
    part = console(*[character * 5000] * CONSOLE_LINES).part(0)
    assert len(part["lines"]) == CONSOLE_PART
    assert {len(line["text"]) for line in part["lines"]} == {CONSOLE_TEXT}
    assert all(line["text"].isprintable() for line in part["lines"])
    encode(ACK, {"id": "c", "status": "done", "result": part})
    assert seen(part) == part


def test_what_was_sent() -> None:
    found = console()
    for content, size in (
        (b"hello\n", 6),
        (bytes(104_090), 104_090),
        (b"\0", 1),
        (bytes(3000), 104_090),
        (b"hel", 6),
        (b"", 5),
    ):
        found.sent(content, size)
    found.note("flashed default")
    assert [(line["from"], line["text"]) for line in all_of(found)] == [
        ("sentry", "hello"),
        ("sentry", "104,090 bytes"),
        ("sentry", "1 byte"),
        ("sentry", "3,000 of 104,090 bytes"),
        ("sentry", "3 of 6 bytes"),
        ("sentry", "0 of 5 bytes"),
        ("note", "flashed default"),
    ]


def test_a_tty_leaves_nothing_out() -> None:
    kept = console()

    async def story() -> None:
        board, host = os.openpty()
        with Tty(Path(os.ttyname(host)), kept) as tty:
            os.close(host)
            os.write(board, b"ready\r\n\r\nhalf a li")
            assert await tty.line() == "ready"
            await tty.write(b"go\n")
            async with asyncio.timeout(PATIENCE):
                while tty._rest != b"half a li":
                    await asyncio.sleep(0.01)
        os.close(board)

    asyncio.run(story())
    assert [(line["from"], line["text"]) for line in all_of(kept)] == [
        ("board", "ready"),
        ("sentry", "go"),
        ("board", "half a li"),
    ]


LINE = st.fixed_dictionaries({"n": ANYTHING, "ts": ANYTHING, "from": ANYTHING | st.just("board"), "text": ANYTHING})


@given(ANYTHING | st.fixed_dictionaries({"lines": st.lists(LINE | ANYTHING, max_size=4), "more": ANYTHING}))
def test_whatever_a_sentry_answers_can_be_shown(result: Any) -> None:
    answer = seen(result)
    dumps(answer)
    for line in answer["lines"]:
        assert line.keys() == {"n", "ts", "from", "text"}
        assert line["text"].isprintable()


def test_a_line_that_is_none_is_left_out() -> None:
    good = {"n": 1, "ts": NOW, "from": "board", "text": "pulses: 7"}
    bad = [{**good, **wrong} for wrong in ({"n": True}, {"ts": -1}, {"from": "me"}, {"text": "\x1b[2J"}, {"text": 5})]
    assert seen({"lines": [*bad, good, None], "more": 1}) == {"lines": [good], "more": False}


def test_a_replay_keeps_the_pace() -> None:
    lines = [{"ts": NOW + ms} for ms in (0, 500, 500, 400, 60_400)]
    assert [wait for wait, _ in paced(iter(lines), 2, 3)] == [0, 0.25, 0, 0, 3]
