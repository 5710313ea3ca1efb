"""The pages of miners and ASICs."""

from typing import Any

from fastapi import APIRouter, Request, Response

from commander.http.access import Caller, Served
from commander.http.pages import Guest, show_page, to_login
from commander.http.paging import now_ms
from commander.mining.machines import machines, miner_kinds
from commander.service import Service

router = APIRouter(include_in_schema=False)


def mining_page(service: Service, template: str, caller: Caller, way: str, **values: Any) -> Response:
    """A page below the tab Mining; ``way``: which of the ways beside its title it is."""
    ways = [("mining", "All machines")]
    if "asic" in miner_kinds(service.flow.farm):
        ways.append(("asics", "ASICs"))
    return show_page(service, template, caller, here="mining", ways=ways, way=way, **values)


@router.get("/mining")
async def overview(request: Request, service: Served, caller: Guest) -> Response:
    return mining_page(service, "mining.html", caller, "mining") if caller else to_login(request)


@router.get("/miners/{node}")
async def miner(request: Request, service: Served, caller: Guest, node: str) -> Response:
    if caller is None:
        return to_login(request)
    farm = service.flow.farm
    if node not in farm["node"] or "miner" not in miner_kinds(farm, node):
        return show_page(service, "missing.html", caller, 404, what=f"There is no miner on a node {node}.")
    return mining_page(service, "miner.html", caller, "", node=node)


@router.get("/asics")
async def asics(request: Request, service: Served, caller: Guest) -> Response:
    return mining_page(service, "asics.html", caller, "asics") if caller else to_login(request)


@router.get("/asics/{node}/{device}")
async def asic(request: Request, service: Served, caller: Guest, node: str, device: str) -> Response:
    if caller is None:
        return to_login(request)
    found = machines(service.flow.farm, now_ms(), node) if node in service.flow.farm["node"] else []
    if not any(each["device"] == device and each["kind"] == "asic" for each in found):
        return show_page(service, "missing.html", caller, 404, what=f"There is no ASIC {device} at a node {node}.")
    return mining_page(service, "asic.html", caller, "", node=node, device=device)
