"""The pages of miners and ASICs."""

from typing import Any

from fastapi import APIRouter, Request, Response

from commander.http.access import Caller, Served
from commander.http.pages import Guest, may, show_page, to_login
from commander.http.paging import now_ms
from commander.mining import asic_orders
from commander.mining.machines import machines, miner_kinds
from commander.mining.software import MINES
from commander.service import Service
from schema.asics import TYPES
from schema.message import Invalid, is_id
from schema.playbooks import ADAPTERS, ARCHIVES

router = APIRouter(include_in_schema=False)

WAYS = {"playbooks": "Playbooks", "templates": "Templates", "software": "Software", "rollouts": "Rollouts"}
CHOICES = {"software": {"adapters": ADAPTERS, "archives": ARCHIVES, "mines": MINES}}


def mining_page(service: Service, template: str, caller: Caller, way: str, **values: Any) -> Response:
    """A page below the tab Mining; ``way``: which of the ways beside its title it is."""
    ways = [("mining", "All machines"), ("asics", "ASICs"), *WAYS.items()]
    if "asic" not in miner_kinds(service.flow.farm) and not asic_orders.sentries(service.flow.farm):
        ways.remove(("asics", "ASICs"))
    if may(caller.role, "admin"):
        ways.append(("audit", "Audit"))
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
    if caller is None:
        return to_login(request)
    sentries = asic_orders.sentries(service.flow.farm)
    return mining_page(service, "asics.html", caller, "asics", sentries=sentries, types=TYPES)


@router.get("/asics/{node}/{device}")
async def asic(request: Request, service: Served, caller: Guest, node: str, device: str) -> Response:
    if caller is None:
        return to_login(request)
    found = machines(service.flow.farm, now_ms(), node) if node in service.flow.farm["node"] else []
    if not any(each["device"] == device and each["kind"] == "asic" for each in found):
        return show_page(service, "missing.html", caller, 404, what=f"There is no ASIC {device} at a node {node}.")
    return mining_page(service, "asic.html", caller, "", node=node, device=device)


@router.get("/playbooks/{name}")
async def playbook(request: Request, service: Served, caller: Guest, name: str) -> Response:
    """The editor; also of a playbook that does not exist yet, which saving makes."""
    if caller is None:
        return to_login(request)
    try:
        is_id("name", name)
    except Invalid:
        return show_page(service, "missing.html", caller, 404, what=f"A playbook cannot be called {name}.")
    return mining_page(service, "playbook.html", caller, "", name=name)


@router.get("/audit")
async def audit(request: Request, service: Served, caller: Guest) -> Response:
    if caller is None:
        return to_login(request)
    if not may(caller.role, "admin"):
        what = f"This page needs a key of the role admin; yours is for {caller.role}."
        return show_page(service, "missing.html", caller, 403, what=what)
    return mining_page(service, "audit.html", caller, "audit")


def _add(way: str) -> None:
    @router.get(f"/{way}")
    async def show(request: Request, service: Served, caller: Guest) -> Response:  # pyright: ignore[reportUnusedFunction]
        return mining_page(service, f"{way}.html", caller, way, **CHOICES.get(way, {})) if caller else to_login(request)


for _way in WAYS:
    _add(_way)
