"""A bus that cannot be watched for a moment: what happened meanwhile is told once it can."""

import asyncio
import errno
import os
import socket
from pathlib import Path

import pytest

from sentry.boards.folder import FolderSource
from sentry.boards.udev import drain
from sentry.boards.usb import Device
from tests.boards.bench import SERIAL, Bench
from tests.boards.small_board import SmallBoard
from tests.support.waiting import PATIENCE


class Faulty(FolderSource):
    """A folder of which some looks fail, as a netlink socket that overflows does."""

    fails = 0

    def look(self) -> dict[str, Device]:
        if self.fails:
            self.fails -= 1
            raise OSError(errno.ENOBUFS, "No buffer space available")
        return super().look()


def test_what_happens_while_the_bus_cannot_be_watched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    board = SmallBoard(tmp_path / "bus", SERIAL)

    async def stage() -> None:
        bench = Bench(tmp_path)
        source = Faulty(bench.bus, 0.02)
        source.fails = 2
        board.plug()
        watching = asyncio.create_task(bench.manager.watch(source))
        try:
            await bench.expect("state", to="ready")
            source.fails = 1
            async with asyncio.timeout(PATIENCE):
                while source.fails:
                    await asyncio.sleep(0.01)
            board.unplug()
            await bench.expect("unplugged")
            assert len(bench.said("plugged")) == 1
        finally:
            watching.cancel()
            await bench.manager.close()

    asyncio.run(stage())
    assert "USB devices cannot be watched; again in 1 s" in caplog.text


def test_a_monitor_whose_socket_has_an_error_is_drained() -> None:
    """A real monitor, with a socket in place of its own that has an error waiting, as after an overflow."""
    pyudev = pytest.importorskip("pyudev", exc_type=ImportError)
    monitor = pyudev.Monitor.from_netlink(pyudev.Context())
    monitor.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as refused:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
            closed.bind(("127.0.0.1", 0))
            refused.connect(closed.getsockname())
        refused.setblocking(False)
        os.dup2(refused.fileno(), monitor.fileno())
        refused.send(b"anybody?")
        for _ in range(2):  # the error stays until somebody takes it
            with pytest.raises(OSError, match="polling"):
                monitor.poll(timeout=0)
        drain(monitor)
        assert monitor.poll(timeout=0) is None
