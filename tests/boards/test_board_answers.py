"""What firmware answers to a bitstream, also iCEFARM's: the sentry's own code against small boards."""

import pytest

from tests.boards.bench import Bench, Tell
from tests.boards.small_board import SmallBoard, bitstream

TIMES = "FPGA Flash times (us): init 1, start 2\r\n"


@pytest.mark.parametrize(
    ("kind", "said", "told"),
    [
        ("pulsecount", "pulses: {}", {"results": [["a", 7]]}),
        ("pulsecount", "pulses: {}, gate 10 ms", {"results": [["a", 7]], "gate_ms": 10}),
        ("pulsecount", TIMES + ", pulses: {}", {"results": [["a", 7]]}),  # as iCEFARM's firmware puts it
        ("variance", "variance: {}.25", {"results": [["a", 7.25]]}),
        ("variance", "variance: {}, gate 10 ms", {"results": [["a", 7.0]], "gate_ms": 10}),
        ("variance", TIMES + "samples: 0,100,0,100,0", {"results": [["a", 80.0]]}),  # as iCEFARM's
        ("variance", "samples: 4095, 4095, 4090", {"results": [["a", 5 / 3]]}),
        ("variance", "samples:" + ",".join([" 4095"] * 700), {"results": [["a", 0.0]]}),
        ("variance", "samples: 42", {"results": [["a", 0.0]]}),
        ("variance", "samples: ", {"results": [["a", 0.0]]}),
    ],
)
def test_answers_of_firmware(kind: str, said: str, told: dict[str, object], tell: Tell) -> None:
    async def story(bench: Bench, board: SmallBoard) -> None:
        board.answer = said
        bench.lease("l1", kind)
        await bench.expect("initialized")
        await bench.evaluate(a=bitstream(7))
        found = await bench.expect("results")
        assert {name: value for name, value in found.items() if name not in ("batch", "took_ms")} == told

    tell(story, result_s=2)


def test_a_disk_beside_the_tty_is_not_the_bootloaders(tell: Tell) -> None:
    async def story(bench: Bench, board: SmallBoard) -> None:
        bench.lease("l1")
        await bench.expect("initialized")
        await bench.evaluate(a=bitstream(7))
        await bench.expect("results", results=[["a", 7]])
        assert board.flashed == ["default", "pulse_count"]
        assert list(board.own_disk.iterdir()) == []

    tell(story, "disk-too", restart_s=1)


def test_one_that_restarts_unseen_is_prepared_again_before_it_is_used(tell: Tell) -> None:
    async def story(bench: Bench, board: SmallBoard) -> None:
        bench.lease("l1")
        await bench.expect("initialized")
        board.faults.add("restarts")
        await bench.expect("state", to="preparing")
        await bench.expect("initialized", waiting=0)
        await bench.evaluate(a=bitstream(7))
        await bench.expect("results", results=[["a", 7]])
        assert not bench.said("failure") + bench.said("evaluation-failed") + bench.said("unplugged")
        assert board.flashed == ["default", "pulse_count", "pulse_count"]

    tell(story)


def test_a_number_that_no_message_holds_is_the_boards_failure(tell: Tell) -> None:
    async def story(bench: Bench, board: SmallBoard) -> None:
        board.answer = "pulses: " + "9" * 30
        bench.lease("l1")
        await bench.expect("initialized")
        await bench.evaluate(a=bitstream(7), b=bitstream(8))
        for name in "ab":
            failed = await bench.expect("evaluation-failed", evaluation=name)
            assert (failed["cause"], "event results: " in failed["problem"]) == ("board", True)
        await bench.expect("state", to="broken")
        board.answer = "pulses: {}"
        await bench.expect("initialized")

    tell(story)
