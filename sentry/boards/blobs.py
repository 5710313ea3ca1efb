"""Files that calls name by SHA-256: pulled from the commander in blocks, once whatever number of boards needs them, and
kept on disk, within a limit. The oldest that nobody uses goes first.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

from schema.fleet import BLOB_DATA, BLOB_GET
from schema.message import Invalid
from schema.wire import decode, encode
from sentry.boards.faults import Refused
from sentry.boards.settings import BoardSettings
from sentry.events import Sender
from sentry.extras import Publish, Wish

BLOCK = 131_072  # a bitstream is one
AT_ONCE = 8  # of more than 16 requests of a node the commander drops the oldest
PAUSE_MOST_S = 60.0
SHA256 = re.compile(r"[0-9a-f]{64}")


class Blob:
    """A file that is here, and stays as long as anybody holds this."""

    def __init__(self, sha256: str, path: Path) -> None:
        self.sha256, self.path = sha256, path

    def read(self) -> bytes:
        """OSError when the disk does not give it."""
        return self.path.read_bytes()


class Blobs:
    """In ``folder``. `get` and `on_data` belong to one event loop; ``tell`` may be called from it."""

    def __init__(self, folder: Path, sender: Sender, settings: BoardSettings, tell: Callable[[Wish], None]) -> None:
        self.topic = sender.topic("blob/data")
        self._asks = sender.topic("blob/get")
        self._folder, self._settings, self._tell = folder, settings, tell
        self._limit = settings.cache_mib * 1024 * 1024
        self._held: WeakSet[Blob] = WeakSet()
        self._pulls: dict[str, asyncio.Task[None]] = {}
        self._answers: dict[str, asyncio.Queue[dict[str, Any] | None]] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._sound = set[str]()
        """Whole since this start: a power cut may have damaged what was kept before."""

    async def get(self, sha256: str) -> Blob:
        """The file; Refused says why it cannot be had."""
        if not SHA256.fullmatch(sha256):
            raise Refused("bad-arguments", "files.sha256: must be 64 hexadecimal digits in lower case")
        blob = Blob(sha256, self._folder / sha256)
        self._held.add(blob)
        try:
            if sha256 not in self._sound or not await asyncio.to_thread(blob.path.exists):
                await self._pulled(sha256)
                self._sound.add(sha256)
            await asyncio.to_thread(os.utime, blob.path)
        except OSError as error:
            raise Refused("disk", f"file {sha256[:12]} cannot be kept: {error.strerror}") from None
        return blob

    def on_data(self, payload: bytes) -> None:
        with suppress(Invalid):  # not from our commander; what was asked for is asked again
            answer = decode(BLOB_DATA, payload)
            if waiting := self._answers.get(answer["sha256"]):
                waiting.put_nowait(answer)

    def on_connected(self) -> None:
        """What was asked for may be lost."""
        for waiting in self._answers.values():
            waiting.put_nowait(None)

    async def _pulled(self, sha256: str) -> None:
        """Whoever comes while a file is on its way waits for the same."""
        if sha256 not in self._pulls:
            task = asyncio.get_running_loop().create_task(self._pull(sha256))
            self._pulls[sha256] = task
            task.add_done_callback(lambda _: self._pulls.pop(sha256))
        await asyncio.shield(self._pulls[sha256])

    async def _pull(self, sha256: str) -> None:
        kept = self._folder / sha256
        if await asyncio.to_thread(_digest, kept) == sha256:
            return
        kept.unlink(missing_ok=True)
        async with self._gate:
            self._answers[sha256] = asyncio.Queue()
            try:
                for _ in range(2):  # what an earlier start left may be damaged
                    if await self._whole(sha256):
                        return
                raise Refused("no-file", f"file {sha256[:12]} does not come whole: its sha256 is wrong")
            finally:
                del self._answers[sha256]

    async def _whole(self, sha256: str) -> bool:
        """Pull what is missing of it, and keep it if it is what it should be."""
        part = self._folder / f"{sha256}.part"
        self._folder.mkdir(parents=True, exist_ok=True)
        total: int | None = None
        while (at := _size(part)) != total:
            answer = await self._block(sha256, at)
            size, data = int(answer["total"]), bytes(answer["data"])
            if total is None:
                total = size
                self._make_room(size - at)
            if size != total or not data or at + len(data) > size:
                break  # another file than the part is of
            await asyncio.to_thread(_append, part, data)
        if await asyncio.to_thread(_digest, part) != sha256:
            part.unlink(missing_ok=True)
            return False
        part.replace(self._folder / sha256)
        return True

    async def _block(self, sha256: str, at: int) -> dict[str, Any]:
        """The block from there on; asked for again and again, in longer and longer pauses."""
        pause, loop = self._settings.ask_again_s, asyncio.get_running_loop()
        end = loop.time() + self._settings.fetch_s
        while loop.time() < end:
            ask = {"sha256": sha256, "offset": at, "size": BLOCK}
            self._tell(Publish(self._asks, encode(BLOB_GET, ask), BLOB_GET.qos, BLOB_GET.retain))
            with suppress(TimeoutError):
                async with asyncio.timeout(min(pause, max(0.0, end - loop.time()))):
                    while answer := await self._answers[sha256].get():
                        if not answer["total"]:
                            raise Refused("no-file", f"the commander has no file {sha256}")
                        if answer["offset"] == at:
                            return answer
            pause = min(pause * 2, PAUSE_MOST_S)
        raise Refused("no-file", f"file {sha256[:12]} did not come within {self._settings.fetch_s:g} s")

    def _make_room(self, size: int) -> None:
        """Drop the oldest files that nobody holds until so much fits."""
        kept = {blob.sha256 for blob in self._held}
        files = sorted(((path.stat(), path) for path in self._folder.iterdir()), key=lambda each: each[0].st_mtime)
        used = sum(stat.st_size for stat, _ in files)
        for stat, path in files:
            if used + size <= self._limit:
                return
            if path.name.removesuffix(".part") not in kept:
                path.unlink(missing_ok=True)
                self._sound.discard(path.name)
                used -= stat.st_size
        if used + size > self._limit:
            raise Refused("disk", f"the files in use fill FARMHAND_BOARD_CACHE_MIB ({self._settings.cache_mib})")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _digest(path: Path) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
