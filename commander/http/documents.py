"""Desired and reported documents, of one node or of all."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from commander.effects import Refused
from commander.fleet import orders, views
from commander.http.access import Caller, Operator, Reader, Served, may_see_secrets
from commander.http.nodes import known
from commander.http.paging import Limit, Offset, Since, Until, do, json, page, within
from commander.mining import asic_orders
from commander.mining.rollouts import DOCUMENT
from commander.service import Service

router = APIRouter(prefix="/api/v1")


class DesiredWish(BaseModel, extra="forbid"):
    data: Any
    if_rev: int | None = Field(default=None, description="refuse (409) unless this is the present revision")
    again: bool = Field(default=False, description="a new revision although nothing changes: the node tries again")


@router.get("/desired")
async def all_desired(
    service: Served,
    caller: Reader,
    node: str | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    return _documents(service, caller, "desired", node, since, until, limit, offset)


@router.get("/reported")
async def all_reported(
    service: Served,
    caller: Reader,
    node: str | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    return _documents(service, caller, "reported", node, since, until, limit, offset)


@router.get("/nodes/{node}/desired")
async def desired(
    service: Served,
    caller: Reader,
    node: str,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    return _documents(service, caller, "desired", node, since, until, limit, offset)


@router.get("/nodes/{node}/reported")
async def reported(
    service: Served,
    caller: Reader,
    node: str,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    return _documents(service, caller, "reported", node, since, until, limit, offset)


@router.put("/nodes/{node}/desired/{document}")
async def set_desired(service: Served, caller: Operator, node: str, document: str, wish: DesiredWish) -> Response:
    if document == DOCUMENT and caller.role != "admin":
        raise Refused(
            "document", f"{DOCUMENT} says which programs run: an admin sets it by hand, others save playbooks", 403
        )

    def work(farm: Any, moment: Any) -> Any:
        if document == asic_orders.DOCUMENT:
            asic_orders.allowed_document(farm, node, caller.role, wish.data)
        return None, orders.set_desired(farm, node, document, wish.data, wish.if_rev, moment, wish.again)

    await do(service, work, caller.name)
    return json(service.flow.farm["desired"].get((node, document)))


def _documents(
    service: Service,
    caller: Caller,
    table: str,
    node: str | None,
    since: int | None,
    until: int | None,
    limit: int,
    offset: int,
) -> Response:
    if node is not None:
        known(service, node)
    rows = within(views.documents(service.flow.farm, table, node, may_see_secrets(caller)), "updated", since, until)
    return json(page(rows, limit, offset))
