"""Time ranges and pages, the same on every list."""

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import Query, Response

from commander.effects import Effects, Moment, Row
from commander.service import Service

MOST = 2**53 - 1  # what every JSON reader and both databases can hold

Limit = Annotated[int, Query(ge=1, le=1000, description="most items in the answer")]
Offset = Annotated[int, Query(ge=0, le=MOST, description="items to skip")]
Since = Annotated[int | None, Query(ge=0, le=MOST, description="ms since 1970, from; default 24 hours before `until`")]
SinceWhole = Annotated[
    int | None,
    Query(ge=0, le=MOST, description="ms since 1970, from; default 24 hours before `until`, all of a lease or batch"),
]
Until = Annotated[int | None, Query(ge=0, le=MOST, description="ms since 1970, to (exclusive); default now")]
Before = Annotated[int | None, Query(ge=1, le=MOST, description="`next` of the page before: rows with a lower id")]
After = Annotated[
    int | None, Query(ge=0, le=MOST, description="instead of a time: rows with a higher id, the oldest first")
]
Word = Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$", description="only rows with this value")]

DAY_MS = 86_400_000
LATE_MS = 60_000  # a range that ends now may be asked for by a slow clock, and take its time on the way
ANSWER_S = 10.0


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return int(time.time() * 1000)


def span(since: int | None, until: int | None, whole: bool = False) -> tuple[int, int]:
    """The asked time range; the end is a second ahead, for senders whose clock is. It begins a day before, unless a
    beginning is asked for, or the `whole` of something that is over one day."""
    end = until if until is not None else now_ms() + 1_000
    return since if since is not None else 0 if whole else end - DAY_MS, end


def within(rows: list[Row], column: str, since: int | None, until: int | None) -> list[Row]:
    """The rows of a list in memory whose time is in the asked range; all, when none is asked for."""
    low, high = since or 0, until if until is not None else MOST
    return [row for row in rows if low <= row[column] < high]


def json(value: Any, status: int = 200) -> Response:
    """A JSON answer without FastAPI's slow encoder; 63-bit ids become text, since JavaScript cannot hold them."""
    return Response(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), status, media_type="application/json")


def page(rows: list[Row], limit: int, offset: int) -> dict[str, Any]:
    """A page of a list in memory."""
    end = offset + limit
    return {"items": rows[offset:end], "total": len(rows), "next": end if end < len(rows) else None}


def history_page(rows: list[Row], limit: int) -> dict[str, Any]:
    """A page of a history list, newest first; `next` goes into `before`."""
    return {"items": rows, "next": rows[-1]["id"] if len(rows) == limit else None}


async def do(service: Service, work: Callable[[Any, Moment], tuple[Any, Effects]], by: str) -> Any:
    """Have the line do something and wait until it is committed."""
    # Shielded: a future that were cancelled here could no longer be answered by the line.
    return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(service.flow.ask(work, by))), ANSWER_S)
