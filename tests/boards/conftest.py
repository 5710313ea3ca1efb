import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schema.boards import STATES
from sentry.boards.core import KINDS
from sentry.boards.folder import FolderSource
from sentry.boards.states import load_kinds
from tests.boards.bench import SERIAL, Bench, Story, Tell
from tests.boards.small_board import SmallBoard


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Tell]:
    """Runs a story of one board to its end."""
    board = SmallBoard(tmp_path / "bus", SERIAL, port="1-1.4")

    def run(story: Story, *faults: str, **settings: Any) -> None:
        async def stage() -> None:
            bench = Bench(tmp_path, **settings)
            watching = asyncio.create_task(bench.manager.watch(FolderSource(bench.bus, 0.05)))
            try:
                await story(bench, board)
            finally:
                watching.cancel()
                await bench.manager.close()
            assert all(each["to"] in STATES for each in bench.said("state"))

        board.faults |= set(faults)
        board.plug()
        asyncio.run(stage())

    yield run
    board.unplug()


@pytest.fixture
def own_kinds() -> Iterator[None]:
    """The states of a test are offered in it alone."""
    load_kinds()
    before = dict(KINDS)
    yield
    KINDS.clear()
    KINDS.update(before)
