"""Nodes, devices, telemetry, domains, commands, documents."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from commander.effects import Refused, Row
from commander.fleet import orders, views
from commander.fleet.presence import PRESENCES
from commander.http.access import Admin, Operator, Reader, Served
from commander.http.paging import Limit, Offset, Since, Until, do, json, now_ms, page, span, within
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


@router.get("/nodes")
async def nodes(
    service: Served,
    _: Reader,
    domain: str | None = None,
    kind: str | None = None,
    presence: Annotated[str | None, Query(description=f"one of: {', '.join(PRESENCES)}")] = None,
    units: Annotated[bool, Query(description="add the units of all fields, as the births announced them")] = False,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    question = (id(service), domain, kind, presence, units, since, until, limit, offset)
    body = cache.get(question)
    if body is None:
        began = time.monotonic()
        where = {k: v for k, v in (("domain", domain), ("kind", kind), ("presence", presence)) if v is not None}
        heard = None if since is None and until is None else (since or 0, until if until is not None else now_ms() + 1)
        answer = views.node_list(service.flow.farm, now_ms(), where, limit, offset, heard)
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
    row = known(service, node)
    detail = views.node_detail(service.flow.farm, row, now_ms())
    return json(detail | {"streams": [{**s, "id": str(s["id"])} for s in detail["streams"]]})


@router.delete("/nodes/{node}")
async def remove(service: Served, caller: Admin, node: str) -> Response:
    await do(service, lambda farm, moment: (None, orders.remove_node(farm, node, moment)), caller.name)
    return json({"removed": node})


@router.get("/devices")
async def devices(
    service: Served,
    _: Reader,
    node: str | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    rows = [row for row in views.devices(service.flow.farm) if node in (None, row["node"])]
    return json(page(within(rows, "ts", since, until), limit, offset))


@router.get("/domains")
async def domains(service: Served, _: Reader, limit: Limit = 100, offset: Offset = 0) -> Response:
    return json(page(views.domains(service.flow.farm, now_ms()), limit, offset))


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


def known(service: Service, node: str) -> Row:
    """The node's row; Refused (404) when there is none."""
    row = service.flow.farm["node"].get(node)
    if row is None:
        raise Refused("node", f"{node} does not exist", 404)
    return row
