"""ASICs of a sentry: find, check, add, change, remove, control."""

import asyncio
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from commander.effects import Refused, Row
from commander.fleet import orders
from commander.fleet.rules import UNDER_WAY
from commander.http.access import Operator, Reader, Served
from commander.http.nodes import known
from commander.http.paging import Limit, Offset, do, json, page
from commander.mining import asic_orders
from commander.service import Service

router = APIRouter(prefix="/api/v1/nodes/{node}/asics")

CHECK_S, SCAN_S, CONTROL_S = 60, 600, 30
MOST_CHECKED = 20
LOOK_S = 0.1

Name = Annotated[str, Path(description="of the ASIC, without `asic-`")]
Type = Literal["cgminer", "braiins", "iceriver", "bitaxe", "pyasic"]
Host = Annotated[str, Field(min_length=1, max_length=253, examples=["192.168.1.31"])]
Port = Annotated[int | None, Field(ge=1, le=65535, description="the type's own unless given")]


class CheckWish(BaseModel, extra="forbid"):
    type: Type | Literal["auto"] = "auto"
    host: Host
    port: Port = None


class AsicWish(CheckWish):
    name: str = Field(examples=["s19-1"])
    poll_s: int | None = None
    control: bool = Field(default=False, description="whether it may be told anything; needs an admin")
    expected: float | None = Field(default=None, description="H/s")
    watchdog: list[dict[str, Any]] | None = None


class AddWish(BaseModel, extra="forbid"):
    asics: list[AsicWish] = Field(min_length=1)
    unchecked: bool = Field(default=False, description="also when they do not answer now; `auto` is no type then")


class ChangeWish(BaseModel, extra="forbid"):
    type: Type | None = None
    host: Host | None = None
    port: Port = None
    poll_s: int | None = None
    control: bool | None = Field(default=None, description="needs an admin to allow it")
    expected: float | None = None
    watchdog: list[dict[str, Any]] | None = None


class ScanWish(BaseModel, extra="forbid"):
    range: str = Field(examples=["192.168.1.0/24"])
    ports: list[int] | None = Field(default=None, description="instead of 4028 and 80")
    force: bool = Field(default=False, description="also addresses that are not private; needs an admin")


class ControlWish(BaseModel, extra="forbid"):
    do: Literal["restart", "reboot", "sleep", "wake", "power_limit"]
    value: float | None = Field(default=None, description="W, of power_limit")


@router.get("")
async def asics(service: Served, _: Reader, node: str, limit: Limit = 100, offset: Offset = 0) -> Response:
    """Each with its record, what its sentry says of it (`said`), and its latest `figures`."""
    known(service, node)
    return json(page(asic_orders.shown(service.flow.farm, node), limit, offset))


@router.post("", status_code=201)
async def add(service: Served, caller: Operator, node: str, wish: AddWish) -> Response:
    """Each is looked at by the sentry first, and none is added when one does not answer (409)."""
    asic_orders.sentry_of(service.flow.farm, node)
    new = [each.model_dump(exclude_none=True) for each in wish.asics]
    asic_orders.allowed(service.flow.farm, node, caller.role, new)
    asic_orders.refuse_taken(service.flow.farm, node, new)
    if not wish.unchecked:
        if len(new) > MOST_CHECKED:
            raise Refused("asics", f"at most {MOST_CHECKED} are checked at once; `unchecked` adds more")
        found = await asyncio.gather(*(_checked(service, node, each, caller.name) for each in new))
        for each, answer in zip(new, found, strict=True):
            each["type"] = answer["type"]
    else:
        found = [None] * len(new)
    await do(service, lambda farm, moment: (None, asic_orders.add(farm, node, new, moment)), caller.name)
    return json({"asics": new, "found": found}, 201)


@router.put("/{name}")
async def change(service: Served, caller: Operator, node: str, name: Name, wish: ChangeWish) -> Response:
    """Other values for the fields that are given; null takes one out."""
    fields = wish.model_dump(exclude_unset=True)

    def work(farm: Any, moment: Any) -> Any:
        return None, asic_orders.change(farm, node, name, caller.role, fields, moment)

    await do(service, work, caller.name)
    return json(asic_orders.record(service.flow.farm, node, name))


@router.delete("/{name}")
async def remove(service: Served, caller: Operator, node: str, name: Name) -> Response:
    """It is watched no longer; its history stays."""
    await do(service, lambda farm, moment: (None, asic_orders.remove(farm, node, name, moment)), caller.name)
    return json({"removed": name})


@router.post("/check")
async def check(service: Served, caller: Operator, node: str, wish: CheckWish) -> Response:
    """What the sentry finds there: type, model, firmware, hash rate (H/s), pool; 409 says why nothing."""
    asic_orders.sentry_of(service.flow.farm, node)
    return json(await _checked(service, node, wish.model_dump(exclude_none=True), caller.name))


@router.post("/scan", status_code=201)
async def scan(service: Served, caller: Operator, node: str, wish: ScanWish) -> Response:
    """The command that does it: its progress and its result are at `/commands/{id}`."""
    asic_orders.sentry_of(service.flow.farm, node)
    if wish.force and caller.role != "admin":
        raise Refused("force", "this needs the role admin", 403)
    args = wish.model_dump(exclude_none=True)
    return json(await _command(service, node, "asic-scan", args, SCAN_S, caller.name), 201)


@router.post("/{name}/control", status_code=201)
async def control(service: Served, caller: Operator, node: str, name: Name, wish: ControlWish) -> Response:
    """The command that does it; 403 unless the ASIC's record allows it."""
    record = asic_orders.record(service.flow.farm, node, name)
    if not record["control"]:
        raise Refused("control", f"{name} is only watched: an admin must allow control of it first", 403)
    args = {"name": name, **wish.model_dump(exclude_none=True)}
    return json(await _command(service, node, "asic-control", args, CONTROL_S, caller.name), 201)


async def _command(service: Service, node: str, name: str, args: Row, timeout_s: int, by: str) -> Row:
    return await do(service, lambda farm, moment: orders.command(farm, node, name, args, timeout_s, moment), by)


async def _checked(service: Service, node: str, asic: Row, by: str) -> Row:
    """What the sentry finds. Refused (409) when it is not there, or nothing answers it."""
    args = {field: asic[field] for field in ("type", "host", "port") if field in asic}
    row = await _command(service, node, "asic-check", args, CHECK_S, by)
    while row["status"] in UNDER_WAY:
        await asyncio.sleep(LOOK_S)
        row = service.flow.farm["command"].get(row["id"]) or {**row, "status": "timeout"}
    said = cast(Row, row["result"]) if isinstance(row["result"], dict) else {}
    if row["status"] == "done" and "type" in said:
        return said
    problem = str(said.get("problem") or f"{node} did not answer ({row['status']})")
    where = "" if asic["host"] in problem else f"{asic['host']}: "
    raise Refused(str(said.get("field") or "host"), where + problem, 409)
