"""The life of boards: the sentry's own code against small boards on real pseudo-terminals and folders."""

import asyncio
from pathlib import Path

import pytest

from sentry.boards.faults import Refused
from tests.boards.bench import SERIAL, Bench, Tell, in_order, wait_flashed, wait_received
from tests.boards.serial_port import touch
from tests.boards.small_board import SmallBoard, bitstream


def test_leased_evaluated_and_free_again(tell: Tell) -> None:
    async def story(bench: Bench, board: SmallBoard) -> None:
        await bench.expect("plugged", vendor="1209")
        await bench.expect("state", **{"from": "flashing", "to": "testing"})
        await bench.expect("state", to="ready")
        assert bench.report() == {"state": "ready", "type": "pico2-ice", "tags": [], "firmware": "default"}
        bench.lease("l1")
        await bench.expect("state", to="preparing")
        await bench.expect("initialized")
        await bench.expect("state", to="leased")
        assert (bench.report()["lease"], bench.report()["kind"]) == ("l1", "pulsecount")
        board.faults.add("loses-once")
        foreign, short = bytes(len(bitstream(0))), bitstream(9)[:-1]
        await bench.evaluate(a=bitstream(1000), short=short, b=bitstream(0), foreign=foreign, c=bitstream(77))
        assert "preamble" in (await bench.expect("evaluation-failed", evaluation="foreign"))["problem"]
        for name, pulses in (("a", 1000), ("b", 0), ("c", 77)):
            found = await bench.expect("results", batch="b1", results=[[name, pulses]])
            assert found["took_ms"] >= 0
        assert "104089 bytes" in bench.said("evaluation-failed")[0]["problem"]
        assert board.received == [1000, 0, 77]
        # Another's lease at once: nothing of the first one is left.
        with pytest.raises(Refused, match="is not of the lease l2"):
            await bench.evaluate("l2", a=bitstream(1))
        bench.lease("l2")
        await bench.expect("initialized", waiting=0)
        bench.lease(None)
        await bench.expect("state", to="ready")
        assert board.flashed == ["default", "pulse_count", "pulse_count", "default"]
        told = await bench.console()
        assert told[:3] == ["note: plugged in", "note: flashed default", "note: testing"]
        assert told[-1] == "note: ready"
        assert in_order(
            told,
            *("board: this is the default firmware", "note: ready", "note: lease l1: pulsecount", "note: preparing"),
            *("note: flashed pulse_count", "board: Waiting for bitstream transfer", "note: leased"),
            *("note: bitstream a of batch b1", "sentry: 104,090 bytes"),
            *(
                "board: Watchdog timeout, 103990 bytes received of 104090",
                "sentry: 104,090 bytes",
                "board: pulses: 1000",
            ),
            *("note: bitstream c of batch b1", "sentry: 104,090 bytes", "board: pulses: 77"),
            *("note: lease l2: pulsecount", "note: flashed pulse_count", "note: no lease", "note: flashed default"),
        )
        assert not bench.said("failure")

    tell(story)


def test_a_bitstream_that_never_answers_takes_nothing_with_it(tell: Tell) -> None:
    async def story(bench: Bench, board: SmallBoard) -> None:
        bench.lease("l1")
        await bench.expect("initialized")
        board.hangs.add(666)
        await bench.evaluate(a=bitstream(1), hangs=bitstream(666), b=bitstream(2), c=bitstream(3))
        await bench.expect("results", results=[["a", 1]])
        failed = await bench.expect("evaluation-failed", evaluation="hangs")
        assert "no answer within 2 s" in failed["problem"]
        await bench.expect("initialized", waiting=2)
        await bench.expect("results", results=[["b", 2]])
        await bench.expect("results", results=[["c", 3]])
        assert board.received == [1, 666, 2, 3]
        # An answer that is cut short is none, whatever number it begins with.
        board.faults.add("cut-short")
        await bench.evaluate(cut=bitstream(1234), d=bitstream(7))
        assert "'pulses: 123Waiting" in (await bench.expect("evaluation-failed", evaluation="cut"))["problem"]
        await bench.expect("results", results=[["d", 7]])
        # One that always arrives short is given up, the board stays.
        board.faults.add("loses")
        await bench.evaluate(d=bitstream(4))
        assert "103990 of 104090" in (await bench.expect("evaluation-failed", evaluation="d"))["problem"]
        board.faults.discard("loses")
        # A person's reboot keeps what waits.
        board.faults.add("silent")
        await bench.evaluate(e=bitstream(5), f=bitstream(6))
        await asyncio.to_thread(wait_received, board, 5)
        board.faults.discard("silent")
        await bench.manager.tell(SERIAL, "reboot")
        await bench.expect("initialized", waiting=2)
        await bench.expect("results", results=[["e", 5]])
        await bench.expect("results", results=[["f", 6]])
        assert not bench.said("failure")
        assert "failures" not in bench.report()
        hung = "note: bitstream hangs of batch b1", "sentry: 104,090 bytes", "note: preparing", "note: leased"
        cut = "board: pulses: 123Waiting for bitstream transfer"
        assert in_order(
            await bench.console(), *hung, "board: pulses: 2", cut, "note: told to reboot", "board: pulses: 6"
        )

    tell(story, result_s=2)


def test_unplugged_while_evaluating_and_while_flashing(tell: Tell) -> None:
    async def story(bench: Bench, board: SmallBoard) -> None:
        bench.lease("l1")
        await bench.expect("initialized")
        board.hangs.add(666)
        await bench.evaluate(a=bitstream(666), b=bitstream(2))
        await asyncio.to_thread(wait_received, board, 666)
        await asyncio.to_thread(board.unplug)
        await bench.expect("unplugged")
        assert {each["evaluation"] for each in bench.said("evaluation-failed")} == {"a", "b"}
        assert len(bench.said("failure")) == 1
        assert bench.report() == {}
        # Its lease waits for it; now it is pulled out in the bootloader.
        board.faults.add("no-restart")
        board.plug()
        await bench.expect("plugged")
        await asyncio.to_thread(wait_flashed, board, 3)
        await asyncio.to_thread(board.unplug)
        assert (await bench.expect("failure"))["problem"] == "unplugged"
        await bench.expect("unplugged")
        board.faults.clear()
        board.plug()
        await bench.expect("plugged")
        await bench.expect("initialized")
        await bench.evaluate(c=bitstream(3))
        await bench.expect("results", results=[["c", 3]])
        thrice = ["note: plugged in", "note: unplugged"] * 2 + ["note: plugged in"]
        assert in_order(await bench.console(), *thrice, "board: pulses: 3")

    tell(story, result_s=20, restart_s=2)


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("no-disk", "the bootloader's disk did not appear within 1 s"),
        ("no-restart", "it did not come back with the firmware default within 1 s"),
        ("silent", "no answer within 1 s"),
    ],
)
def test_broken_healed_in_quarantine_and_back(tell: Tell, fault: str, problem: str) -> None:
    async def story(bench: Bench, board: SmallBoard) -> None:
        bench.lease("l1")
        assert (await bench.expect("failure"))["problem"] == problem
        await bench.expect("state", to="broken", problem=problem)
        await bench.expect("state", to="quarantine")
        assert bench.report()["failures"] == 2
        await bench.expect("state", **{"from": "quarantine", "to": "flashing"})
        await bench.expect("state", to="quarantine")
        assert len(bench.said("failure")) == 1
        board.faults.clear()
        await bench.expect("initialized")
        assert "failures" not in bench.report()
        assert "problem" not in bench.report()
        notes = (problem, "broken", "quarantine", "flashing", "quarantine", "leased")
        assert in_order(await bench.console(), *(f"note: {each}" for each in notes))

    tell(story, fault, failures=2, bootloader_s=1, restart_s=1, test_s=1, heal_s=0.05, quarantine_s=0.2)


def test_what_cannot_be_given_is_told_and_breaks_nothing(tell: Tell) -> None:
    async def story(bench: Bench, board: SmallBoard) -> None:
        await bench.expect("state", to="ready")
        bench.lease("l1", "teapot")
        told = await bench.expect("failure")
        assert told["problem"] == "kind: teapot is not offered here; allowed: pulsecount, variance"
        assert bench.report()["problem"] == told["problem"]
        bench.lease("l1", "pulsecount", sugar=2)
        assert "args.sugar: unknown argument" in (await bench.expect("failure"))["problem"]
        with pytest.raises(Refused, match="takes no calls"):
            await bench.evaluate(a=bitstream(1))
        with pytest.raises(Refused, match="is on no hub"):
            await bench.manager.tell(SERIAL, "power-cycle")
        with pytest.raises(Refused, match="there is no board nobody"):
            await bench.manager.tell("nobody", "reboot")
        bench.lease("l1")
        await bench.expect("initialized")
        assert "problem" not in bench.report()
        await bench.manager.tell(SERIAL, "delete")
        await bench.expect("state", to="testing")
        await bench.expect("initialized")
        assert board.flashed == ["default", "pulse_count", "default", "pulse_count"]
        deleted = "note: told to delete", "note: flashed default", "note: leased"
        assert in_order(await bench.console(), "note: plugged in", f"note: {told['problem']}", *deleted)

    tell(story)


def test_power_for_a_board_on_a_hub(tell: Tell, tmp_path: Path) -> None:
    program = tmp_path / "uhubctl"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/cycled\n')
    program.chmod(0o755)

    async def story(bench: Bench, board: SmallBoard) -> None:
        await bench.expect("state", to="quarantine")
        assert (tmp_path / "cycled").read_text() == "-l 1-1 -p 4 -a cycle\n"
        board.faults.clear()
        await bench.expect("state", to="ready")
        await bench.manager.tell(SERIAL, "power-cycle")
        assert len((tmp_path / "cycled").read_text().splitlines()) >= 2

    tell(story, "no-disk", hub="1-1", uhubctl=str(program), failures=3, bootloader_s=0.5, heal_s=0.05)


def test_a_board_without_micropython(tell: Tell, tmp_path: Path) -> None:
    """It says what is missing, also where its bootloader waits for it."""
    (tmp_path / "default.py").write_text("print('default firmware')\n")

    async def story(bench: Bench, board: SmallBoard) -> None:
        problem = (await bench.expect("state", to="broken"))["problem"]
        assert problem.startswith("no REPL of MicroPython answers within 0.5 s; docs/boards-host.md")
        touch(str(bench.manager._devices[SERIAL].tty))
        while "it is in its bootloader" not in problem:
            problem = (await bench.expect("state", to="broken"))["problem"]
        assert not board.flashed

    tell(story, firmware={"default": tmp_path / "default.py"}, bootloader_s=0.5, failures=9)
