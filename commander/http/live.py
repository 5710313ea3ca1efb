"""Server-sent events: what the line has just committed, for pages and `farmhand watch`."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from commander.effects import Add, Farm, Put, Row
from commander.fleet.presence import presence
from commander.http.access import Reader, Served
from commander.http.paging import now_ms
from commander.mining.rollouts import shown
from schema.questions import is_question

router = APIRouter(prefix="/api/v1")

WAITING_LINES = 2_000
BOARDS = {"board_history": "board", "board_result": "board-result"}
KEEPALIVE_S = 15.0


class Live:
    """Fans committed changes out to listeners; one that is too slow loses lines and is told so."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self._lock = threading.Lock()
        self._listeners: dict[asyncio.Queue[bytes], asyncio.AbstractEventLoop] = {}

    def publish(self, changes: list[Put | Add]) -> None:
        """Called by the line after each commit; costs nothing while nobody listens."""
        if not self._listeners:
            return
        lines = [line for change in changes if (line := self._line(change))]
        if not lines:
            return
        with self._lock:
            listeners = list(self._listeners.items())
        for waiting, loop in listeners:
            loop.call_soon_threadsafe(_offer, waiting, lines)

    def listen(self) -> asyncio.Queue[bytes]:
        waiting: asyncio.Queue[bytes] = asyncio.Queue(WAITING_LINES)
        with self._lock:
            self._listeners[waiting] = asyncio.get_running_loop()
        return waiting

    def leave(self, waiting: asyncio.Queue[bytes]) -> None:
        with self._lock:
            self._listeners.pop(waiting, None)

    def _line(self, change: Put | Add) -> bytes | None:
        if type(change) is Add:
            row = change.row
            if change.table in BOARDS:
                return _format(BOARDS[change.table], row)
            if change.table != "event":
                return None
            return _format("event", {k: row[k] for k in ("node", "device", "type", "ts", "data")})
        if change.row is None:
            return _format("alert-cleared", {"key": change.key}) if change.table == "alert" else None
        return self._state(change.table, change.row)

    def _state(self, table: str, row: Row) -> bytes | None:
        match table:
            case "latest":
                return _format("telemetry", {k: row[k] for k in ("node", "device", "part", "ts", "data")})
            case "node":
                word = presence(self._farm, row, now_ms())
                return _format(
                    "node", {"id": row["id"], "domain": row["domain"], "kind": row["kind"], "presence": word}
                )
            case "rollout":
                return _format("rollout", shown(self._farm, row, nodes=False))
            case "command" if is_question(row["id"]):
                return None
            case "alert" | "command" | "device" | "reported" | "link":
                return _format(table, row)
            case _:
                return None


def _format(kind: str, data: Any) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


def _offer(waiting: asyncio.Queue[bytes], lines: list[bytes]) -> None:
    for line in lines:
        if waiting.full():
            while not waiting.empty():
                waiting.get_nowait()
            waiting.put_nowait(_format("lost", {"why": "listener too slow; ask for the present state again"}))
        waiting.put_nowait(line)


@router.get("/live")
async def live(service: Served, _: Reader, request: Request, node: str | None = None) -> StreamingResponse:
    """Events: node, telemetry, event, alert, alert-cleared, command, device, reported, rollout, board, board-result,
    link, lost."""
    hub: Live = request.app.state.live
    wanted = f'"{node}"'.encode() if node else b""

    async def lines() -> AsyncIterator[bytes]:
        waiting = hub.listen()
        try:
            yield b"retry: 2000\n\n"
            while True:
                try:
                    line = await asyncio.wait_for(waiting.get(), KEEPALIVE_S)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if wanted in line:
                    yield line
        finally:
            hub.leave(waiting)

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
