"""The sentry's own code for boards at a folder, without a broker, and all that it says."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from sentry.boards.blobs import Blob, Blobs
from sentry.boards.manager import Manager
from sentry.boards.settings import BoardSettings
from sentry.boards.states import load_kinds
from sentry.boards.voice import Voice
from sentry.events import Event, Sender
from tests.boards.small_board import SHORT, SmallBoard, firmware_files
from tests.support.waiting import PATIENCE, wait_until

SERIAL = "e6616407e3"


class Bench:
    """A manager on a folder, and what it says."""

    def __init__(self, tmp_path: Path, **settings: Any) -> None:
        load_kinds()
        files = firmware_files(tmp_path / "firmware", "default", "pulse_count", "variance")
        firmware = {name.removeprefix("FARMHAND_BOARD_").lower(): path for name, path in files.items()}
        self.settings = BoardSettings(**{**SHORT, "firmware": firmware, **settings})
        self.bus, self.folder = tmp_path / "bus", tmp_path
        self.events: list[Event] = []
        blobs = Blobs(tmp_path / "blobs", Sender("farm", "house", "rig1"), self.settings, lambda _: None)
        self.manager = Manager(self.settings, Voice(self._hear), blobs)
        self._news = asyncio.Event()
        self._at = 0

    def _hear(self, wish: Any) -> None:
        assert isinstance(wish, Event)
        self.events.append(wish)
        self._news.set()

    async def expect(self, event: str, **contents: Any) -> dict[str, Any]:
        """The contents of the next event of that name in which these stand; others are passed over."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    while self._at < len(self.events):
                        found = self.events[self._at].fields
                        self._at += 1
                        if found["event"] == event and contents.items() <= found["contents"].items():
                            return found["contents"]
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            said = [each.fields for each in self.events]
            raise AssertionError(f"no {event} {contents}; heard {said}") from None

    def lease(self, id_: str | None, kind: str = "pulsecount", **args: Any) -> None:
        given = [{"serial": SERIAL, "lease": id_, "kind": kind, "args": args}] if id_ else []
        self.manager.lease({"boards": given})

    async def evaluate(self, lease: str = "l1", **files: bytes) -> Any:
        blobs: dict[str, Blob] = {}
        for name, content in files.items():
            path = self.folder / f"{name}.bin"
            path.write_bytes(content)
            blobs[name] = Blob("0" * 64, path)
        board = self.manager._boards[SERIAL]
        return await board.call(lease, "evaluate", {"batch": "b1"}, blobs)

    def said(self, event: str) -> list[dict[str, Any]]:
        return [each.fields["contents"] for each in self.events if each.fields["event"] == event]

    async def console(self) -> list[str]:
        """All that it holds; it is short in these stories."""
        answer = await self.manager.tell(SERIAL, "console")
        assert not answer["more"]
        return [f"{line['from']}: {line['text']}" for line in answer["lines"]]

    def report(self) -> dict[str, Any]:
        return self.manager.report()["boards"].get(SERIAL, {})


Story = Callable[[Bench, SmallBoard], Coroutine[Any, Any, None]]
Tell = Callable[..., None]


def in_order(found: list[str], *wanted: str) -> bool:
    """Whether all these are there, one after the other, whatever stands between them."""
    rest = iter(found)
    return all(each in rest for each in wanted)


def wait_received(board: SmallBoard, count: int) -> None:
    wait_until(f"bitstream {count} on the board", lambda: count in board.received)


def wait_flashed(board: SmallBoard, times: int) -> None:
    wait_until("the firmware", lambda: len(board.flashed) >= times)
