"""Nodes, devices, telemetry, domains, commands, documents."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from commander.effects import Refused, Row
from commander.fleet import orders, views
from commander.fleet.presence import PRESENCES
from commander.http.access import Admin, Operator, Reader, Served, may_see_secrets
from commander.http.paging import Limit, Offset, Since, Until, do, json, now_ms, page, span, within
from commander.http.tokens import known_to_broker
from commander.mining.grants import for_gateway
from commander.service import Service
from schema.questions import is_question

router = APIRouter(prefix="/api/v1")


class CommandWish(BaseModel, extra="forbid"):
    name: str = Field(examples=["ping"])
    args: dict[str, Any] = {}
    timeout_s: int = 30


class GrantsWish(BaseModel, extra="forbid"):
    grants: list[str] = Field(default=[], examples=[["read farm/house/meter/+/tele/power"]])
    pool_gateway_of: list[str] = Field(default=[], description="nodes to whose devices it hands the jobs of a pool")


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
    where = {k: v for k, v in (("domain", domain), ("kind", kind), ("presence", presence)) if v is not None}
    heard = None if since is None and until is None else (since or 0, until if until is not None else now_ms() + 1)
    farm = service.flow.farm
    answer = views.node_list(farm, now_ms(), where, limit, offset, heard)
    if units:
        # The line may have removed a node meanwhile.
        parts = {row["id"]: known["parts"] for row in answer["items"] if (known := farm["node"].get(row["id"]))}
        answer["items"] = [{**row, "units": parts[row["id"]]} for row in answer["items"] if row["id"] in parts]
    return json(answer)


@router.get("/nodes/{node}")
async def node(service: Served, caller: Reader, node: str) -> Response:
    row = known(service, node)
    detail = views.node_detail(service.flow.farm, row, now_ms(), may_see_secrets(caller))
    return json(detail | {"streams": [{**s, "id": str(s["id"])} for s in detail["streams"]]})


@router.delete("/nodes/{node}")
async def remove(service: Served, caller: Admin, node: str) -> Response:
    await do(service, lambda farm, moment: (None, orders.remove_node(farm, node, moment)), caller.name)
    return json({"removed": node})


@router.put("/nodes/{node}/grants")
async def grants(service: Served, caller: Admin, node: str, wish: GrantsWish) -> Response:
    """`live`: whether the broker knows of them by now."""
    farmfile = service.farmfile

    def work(farm: Any, moment: Any) -> Any:
        given = [*wish.grants, *for_gateway(farm, farmfile.root, farmfile.home, node, wish.pool_gateway_of)]
        return (given, farm["node"][node]["domain"]), orders.set_grants(farm, node, given, moment)

    given, domain = await do(service, work, caller.name)
    return json({"node": node, "grants": given, "live": await known_to_broker(service, domain, node)})


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
        if begin <= row["created"] < end
        and node in (None, row["node"])
        and status in (None, row["status"])
        and not is_question(row["id"])
    ]
    return json(page(rows, limit, offset))


@router.get("/commands/{command_id}")
async def one_command(service: Served, _: Reader, command_id: str) -> Response:
    row = service.flow.farm["command"].get(command_id)
    if row is None or is_question(command_id):
        raise Refused("id", f"there is no command {command_id}", 404)
    return json(row)


def known(service: Service, node: str) -> Row:
    """The node's row; Refused (404) when there is none."""
    row = service.flow.farm["node"].get(node)
    if row is None:
        raise Refused("node", f"{node} does not exist", 404)
    return row
