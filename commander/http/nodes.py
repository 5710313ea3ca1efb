"""Nodes, devices, telemetry, domains, commands, documents."""

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from commander.effects import Refused, Row
from commander.fleet import orders, views
from commander.fleet.presence import PRESENCES
from commander.http.access import Admin, Operator, Reader, Served
from commander.http.paging import Limit, Offset, Since, Until, do, json, now_ms, page, span
from commander.service import Service

router = APIRouter(prefix="/api/v1")

# A list that many dashboards ask for is built again after 20 ms, or after ten times what building it took on a large
# farm; no value in it is older than the second that is promised.
LIST_AGE_S = 0.02
MOST_AGE_S = 0.5
MAX_CACHED = 256


class ListCache:
    """Finished answers by question, for a moment."""

    def __init__(self) -> None:
        self._answers: dict[Any, tuple[float, bytes]] = {}

    def get(self, question: Any) -> bytes | None:
        """The answer, unless it is too old."""
        found = self._answers.get(question)
        return found[1] if found and time.monotonic() < found[0] else None

    def keep(self, question: Any, body: bytes, began: float) -> None:
        """Keep an answer whose building began at `began` (monotonic)."""
        if len(self._answers) >= MAX_CACHED:
            self._answers.clear()
        now = time.monotonic()
        self._answers[question] = (began + min(MOST_AGE_S, max(LIST_AGE_S, 10 * (now - began))), body)


cache = ListCache()


class CommandWish(BaseModel, extra="forbid"):
    name: str = Field(examples=["ping"])
    args: dict[str, Any] = {}
    timeout_s: int = 30


class DesiredWish(BaseModel, extra="forbid"):
    data: Any
    if_rev: int | None = Field(default=None, description="refuse (409) unless this is the present revision")


@router.get("/nodes")
async def nodes(
    service: Served,
    _: Reader,
    domain: str | None = None,
    kind: str | None = None,
    presence: Annotated[str | None, Query(description=f"one of: {', '.join(PRESENCES)}")] = None,
    units: Annotated[bool, Query(description="add the units of all fields, as the births announced them")] = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    question = (id(service), domain, kind, presence, units, limit, offset)
    body = cache.get(question)
    if body is None:
        began = time.monotonic()
        where = {k: v for k, v in (("domain", domain), ("kind", kind), ("presence", presence)) if v is not None}
        answer = views.node_list(service.flow.farm, now_ms(), where, limit, offset)
        if units:
            known = service.flow.farm["node"]
            answer["items"] = [
                {**row, "units": known[row["id"]]["parts"]} for row in answer["items"] if row["id"] in known
            ]
        body = bytes(json(answer).body)
        cache.keep(question, body, began)
    return Response(body, media_type="application/json")


@router.get("/nodes/{node}")
async def node(service: Served, _: Reader, node: str) -> Response:
    row = _node(service, node)
    detail = views.node_detail(service.flow.farm, row, now_ms())
    return json(detail | {"streams": [{**s, "id": str(s["id"])} for s in detail["streams"]]})


@router.delete("/nodes/{node}")
async def remove(service: Served, caller: Admin, node: str) -> Response:
    await do(service, lambda farm, moment: (None, orders.remove_node(farm, node, moment)), caller.name)
    return json({"removed": node})


@router.get("/devices")
async def devices(
    service: Served, _: Reader, node: str | None = None, limit: Limit = 100, offset: Offset = 0
) -> Response:
    rows = [row for row in views.devices(service.flow.farm) if node in (None, row["node"])]
    return json(page(rows, limit, offset))


@router.get("/domains")
async def domains(service: Served, _: Reader, limit: Limit = 100, offset: Offset = 0) -> Response:
    return json(page(views.domains(service.flow.farm, now_ms()), limit, offset))


@router.get("/nodes/{node}/telemetry")
def telemetry(
    service: Served,
    _: Reader,
    node: str,
    part: str,
    device: str = "self",
    step: Literal["auto", "raw", "minute", "hour"] = "auto",
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 2_000,
) -> Response:
    """History of one part, oldest first. `auto` chooses the step by the length of the range."""
    _node(service, node)
    begin, end = span(since, until)
    step_used = views.step_for(begin, end) if step == "auto" else step
    with service.database.reading() as connection:
        if step_used == "raw":
            items = views.samples(connection, node, device, part, begin, end, limit)
        else:
            items = views.figures(connection, node, device, part, step_used, begin, end, limit)
            if step == "auto" and not items:  # nothing has been down-sampled yet
                step_used = "raw"
                items = views.samples(connection, node, device, part, begin, end, limit)
    units = service.flow.farm["node"][node]["parts"].get(part, {})
    return json({"step": step_used, "since": begin, "until": end, "units": units, "items": items})


@router.post("/nodes/{node}/commands", status_code=201)
async def command(service: Served, caller: Operator, node: str, wish: CommandWish) -> Response:
    def work(farm: Any, moment: Any) -> Any:
        return orders.command(farm, node, wish.name, wish.args, wish.timeout_s, moment)

    return json(await do(service, work, caller.name), 201)


@router.get("/commands")
async def commands(
    service: Served,
    _: Reader,
    node: str | None = None,
    status: str | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    begin, end = span(since, until)
    rows = [
        row
        for row in sorted(list(service.flow.farm["command"].values()), key=lambda row: -row["created"])
        if begin <= row["created"] < end and node in (None, row["node"]) and status in (None, row["status"])
    ]
    return json(page(rows, limit, offset))


@router.get("/commands/{command_id}")
async def one_command(service: Served, _: Reader, command_id: str) -> Response:
    row = service.flow.farm["command"].get(command_id)
    if row is None:
        raise Refused("id", f"there is no command {command_id}", 404)
    return json(row)


@router.get("/nodes/{node}/desired")
async def desired(service: Served, _: Reader, node: str, limit: Limit = 100, offset: Offset = 0) -> Response:
    return json(page(_of(service, "desired", node), limit, offset))


@router.get("/nodes/{node}/reported")
async def reported(service: Served, _: Reader, node: str, limit: Limit = 100, offset: Offset = 0) -> Response:
    return json(page(_of(service, "reported", node), limit, offset))


@router.put("/nodes/{node}/desired/{document}")
async def set_desired(service: Served, caller: Operator, node: str, document: str, wish: DesiredWish) -> Response:
    def work(farm: Any, moment: Any) -> Any:
        effects = orders.set_desired(farm, node, document, wish.data, wish.if_rev, moment)
        return None, effects

    await do(service, work, caller.name)
    return json(service.flow.farm["desired"].get((node, document)))


def _of(service: Service, table: str, node: str) -> list[Row]:
    _node(service, node)
    return views.documents(service.flow.farm, table, node)


def _node(service: Service, node: str) -> Row:
    row = service.flow.farm["node"].get(node)
    if row is None:
        raise Refused("node", f"{node} does not exist", 404)
    return row
