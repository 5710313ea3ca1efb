"""Coins, pools and addresses that playbooks refer to."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from commander.effects import Refused
from commander.http.access import Admin, Reader, Served, may_see_secrets
from commander.http.paging import Limit, Offset, Since, Until, do, json, page, within
from commander.mining import changes, templates

router = APIRouter(prefix="/api/v1/mining")
Kind = Literal["coin", "pool", "address"]


class TemplateWish(BaseModel, extra="forbid"):
    data: dict[str, Any]
    if_version: int | None = Field(default=None, description="refuse (409) unless this is the present version; 0: new")
    canary: str = Field(default="", description="a group that gets it first")


@router.get("/templates")
async def template_list(
    service: Served,
    caller: Reader,
    kind: Kind | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """`kind name version data updated by used_by` of each. A reader does not see the passwords of pools."""
    farm = service.flow.farm
    rows = sorted(list(farm["template"].values()), key=lambda row: (row["kind"], row["name"]))
    found = [templates.shown(farm, row, may_see_secrets(caller)) for row in rows if kind in (None, row["kind"])]
    return json(page(within(found, "updated", since, until), limit, offset))


@router.get("/templates/{kind}/{name}")
async def template(service: Served, caller: Reader, kind: str, name: str) -> Response:
    farm = service.flow.farm
    row = farm["template"].get((kind, name))
    if row is None:
        raise Refused("name", f"there is no {kind[:64]} {name[:64]}", 404)
    return json(templates.shown(farm, row, may_see_secrets(caller)))


@router.put("/templates/{kind}/{name}")
async def save_template(service: Served, caller: Admin, kind: str, name: str, wish: TemplateWish) -> Response:
    """`{template, rollout, left}`: playbooks that use it are issued again, as one rollout."""

    def work(farm: Any, moment: Any) -> Any:
        return changes.save_template(farm, kind, name, wish.data, wish.if_version, wish.canary, moment)

    return json(await do(service, work, caller.name))


@router.delete("/templates/{kind}/{name}")
async def remove_template(service: Served, caller: Admin, kind: str, name: str) -> Response:
    """Refused (409) while something uses it."""

    def work(farm: Any, moment: Any) -> Any:
        return changes.remove_template(farm, kind, name, moment)

    return json(await do(service, work, caller.name))
