"""Methods of leased boards: files for them, calls, results."""

import asyncio
from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from commander.boards import calls
from commander.boards.tables import board_result
from commander.boards.wishes import Asker
from commander.effects import Refused, Row
from commander.fleet.rules import UNDER_WAY
from commander.fleet.views import history
from commander.http.access import Operator, Reader, Served
from commander.http.blobs import RAW, Name, keep
from commander.http.paging import After, Before, Limit, SinceWhole, Until, Word, do, history_page, json, span
from schema.boards import MOST_CALLED, MOST_FILES

router = APIRouter(prefix="/api/v1/boards")

MOST_BYTES = 1024 * 1024
LOOK_S = 0.02

SerialWord = Annotated[Word, AfterValidator(lambda given: given and given.lower())]
Batch = Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00]*$", description="as its call named it")]
Word128 = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class File(BaseModel, extra="forbid"):
    name: Word128 = Field(description="the caller's, e.g. of an evaluation")
    sha256: Sha256 = Field(description="as the upload answered it")


class CallWish(BaseModel, extra="forbid"):
    method: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] = Field(examples=["evaluate"])
    args: dict[str, Any] = Field(default={}, examples=[{"batch": "b-1"}])
    files: list[File] = Field(default=[], max_length=MOST_FILES)
    serials: list[Word128] = Field(default=[], max_length=MOST_CALLED, description="all of the lease unless given")


@router.post("/files", status_code=201, openapi_extra=RAW)
async def upload(service: Served, caller: Operator, request: Request, name: Name = "") -> Response:
    """Keep the body, at most 1 MiB, for calls; 200 instead of 201 when it was here before."""
    return await keep(service, caller, request, name, MOST_BYTES, f"{MOST_BYTES} bytes")


@router.post("/leases/{lease}/call")
async def call(
    service: Served, caller: Operator, lease: Annotated[str, Path(description="its id: l-...")], wish: CallWish
) -> Response:
    """`{"answers": {serial: what the method returned}, "problems": {serial: text}, "codes": {serial: word}}`: a board
    that cannot take it has a code; 409 when none can."""
    asker = Asker(caller.user, caller.role == "admin")
    asked = wish.model_dump()

    def work(farm: Any, moment: Any) -> Any:
        return calls.call(farm, asker, lease, asked, moment)

    sent: list[Row] = await do(service, work, caller.name)
    rows = [await answered(service, row) for row in sent]
    refused = [row for row in rows if row["status"] != "done"]
    if len(refused) == len(rows):
        raise refusal("call", refused[0])
    told = {part: _joined(rows, part) for part in ("answers", "problems", "codes")}
    for row in refused:
        told["problems"] |= dict.fromkeys(row["args"]["serials"], refusal("call", row).problem)
        told["codes"] |= dict.fromkeys(row["args"]["serials"], row["code"] or row["status"])
    return json(told)


@router.get("/results")
def results(
    service: Served,
    _: Reader,
    batch: Batch = None,
    lease: Word = None,
    user: Word = None,
    serial: SerialWord = None,
    since: SinceWhole = None,
    until: Until = None,
    limit: Limit = 100,
    before: Before = None,
    after: After = None,
) -> Response:
    """What evaluations gave, newest first (with `after`: as they came): `value`, or a `problem`."""
    wanted = {"batch": batch, "lease": lease, "user": user, "serial": serial}
    where = {name: value for name, value in wanted.items() if value is not None}
    times = span(since, until, whole=batch is not None or lease is not None)
    with service.database.reading() as connection:
        rows = history(connection, board_result, where, *times, limit, before, after)
    return json(history_page(rows, limit))


async def answered(service: Any, row: Row) -> Row:
    """The row of a command, once its node has answered."""
    while row["status"] in UNDER_WAY:
        await asyncio.sleep(LOOK_S)
        row = service.flow.farm["command"].get(row["id"]) or {**row, "status": "timeout"}
    return row


def refusal(field: str, row: Row, what: str = "") -> Refused:
    """Why a node did not do what it was told."""
    told = cast(Row, row["result"]) if isinstance(row["result"], dict) else {"problem": row["result"]}
    why = str(told.get("problem") or row["code"] or "no answer")
    return Refused(field, f"{what or row['node']}: {row['status']}: {why[:300]}", 409)


def _joined(rows: list[Row], part: str) -> Row:
    found: Row = {}
    for row in rows:
        if isinstance(row["result"], dict):
            found |= cast(Row, row["result"]).get(part) or {}
    return found
