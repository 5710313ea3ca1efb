"""Bitstreams on their way to the farm."""

import asyncio
import hashlib
import os
from collections.abc import Iterable

from farmhand_client.api import Api
from farmhand_client.evaluation import Evaluation, FilePath
from farmhand_client.files import bitstream
from farmhand_client.supply import Piece


class Uploads:
    """Each file once, whatever number of boards needs it."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._tasks: dict[str, asyncio.Task[str]] = {}

    async def sha256(self, filepath: FilePath) -> str:
        """What the farm knows it by, once it is there. OSError, ValueError and FarmError say why not."""
        path = os.fspath(filepath)
        if path not in self._tasks:
            self._tasks[path] = asyncio.create_task(self._upload(path))
        return await asyncio.shield(self._tasks[path])

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _upload(self, path: str) -> str:
        content = await asyncio.to_thread(bitstream, path)
        answer = await self._api.upload("/boards/files", content, name=os.path.basename(path)[-64:])
        return str(answer["sha256"])


def pieces(evaluations: Iterable[Evaluation], resumed: bool) -> list[Piece]:
    """In a batch that may be resumed, a name means a place in the list and the file's content."""
    found: list[Piece] = []
    for number, each in enumerate(evaluations):
        name = f"{os.path.basename(os.fspath(each.filepath))[-64:]}#{number}"
        found.append(Piece(f"{name}#{_digest(each.filepath)}" if resumed else name, each))
    return found


def _digest(path: FilePath) -> str:
    """Of the file as it is; empty when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:12]
    except OSError:
        return ""
