"""The console of a board: what it said and what it was sent, asked of its sentry."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from commander.boards.orders import look, seen
from commander.boards.wishes import Asker
from commander.effects import Farm, Moment, Refused, Row
from commander.http.access import Operator, Served
from commander.http.board_calls import answered, refusal
from commander.http.boards import Serial
from commander.http.paging import MOST, do, json

router = APIRouter(prefix="/api/v1/boards")

ANSWER_S = 10.0

Seen = Annotated[int, Query(ge=0, le=MOST, description="`n` of the last line seen: only those behind it")]


@router.get("/{serial}/console")
async def console(service: Served, caller: Operator, serial: Serial, after: Seen = 0) -> Response:
    """`{"lines": [{"n", "ts", "from", "text"}], "more"}`, the oldest first; `more`: ask again at once. 409 when its
    sentry does not answer."""
    asker = Asker(caller.user, caller.role == "admin")

    def work(farm: Farm, moment: Moment) -> Any:
        return look(farm, asker, serial, after, moment)

    sent: Row = await do(service, work, caller.name)
    try:
        async with asyncio.timeout(ANSWER_S):
            row = await answered(service, sent)
    except TimeoutError:
        raise Refused("console", f"{sent['node']} does not answer", 409) from None
    if row["status"] != "done":
        raise refusal("console", row)
    return json(seen(row["result"]))
