"""What a sentry offers to be reserved: the states whose firmware is there."""

from sentry.boards.offers import not_offered
from tests.boards.bench import Bench, Tell
from tests.boards.small_board import SmallBoard


def test_firmware_that_is_not_there_breaks_no_board(tell: Tell) -> None:
    async def story(bench: Bench, board: SmallBoard) -> None:
        await bench.expect("state", to="ready")
        path = bench.settings.firmware["variance"]
        content = path.read_bytes()
        path.unlink()
        assert bench.manager.report()["kinds"] == ["pulsecount"]
        assert not_offered(bench.settings) == [
            f"state variance is not offered: FARMHAND_BOARD_VARIANCE: {path} is no file"
        ]
        bench.lease("l1", "variance")
        problem = "kind: variance is not offered here; allowed: pulsecount"
        assert await bench.expect("failure") == {"problem": problem}
        assert (bench.report()["state"], board.flashed) == ("ready", ["default"])
        path.write_bytes(content)
        bench.lease("l2", "variance")
        await bench.expect("initialized")

    tell(story)
