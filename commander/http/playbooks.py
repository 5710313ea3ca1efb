"""Playbooks: what shall be mined where, all versions of it, and what it would come to."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from commander.effects import Refused, Row
from commander.http.access import Operator, Reader, Served, may_see_secrets
from commander.http.paging import Limit, Offset, Since, Until, do, json, page, within
from commander.mining import changes, playbooks, rollouts
from commander.service import Service

router = APIRouter(prefix="/api/v1/mining")
Canary = Annotated[str, Field(default="", description="a group that gets it first")]
Version = Annotated[int, Query(ge=1, le=2**53 - 1)]


class PlaybookWish(BaseModel, extra="forbid"):
    data: dict[str, Any]
    if_version: int | None = Field(default=None, description="refuse (409) unless this is the present version; 0: new")
    note: str = Field(default="", max_length=200, pattern=r"^[^\x00]*$", description="why, for people")
    canary: Canary


class PreviewWish(BaseModel, extra="forbid"):
    name: str
    data: dict[str, Any]


class RestoreWish(BaseModel, extra="forbid"):
    version: int = Field(ge=1, le=2**53 - 1)
    canary: Canary


@router.get("/playbooks")
async def playbook_list(
    service: Served,
    caller: Reader,
    node: str | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """`name version data created updated by nodes` of each; `nodes`: those that it is for now; `node`: of that one."""
    rows = sorted(list(service.flow.farm["playbook"].values()), key=lambda row: str(row["name"]))
    shown = [_shown(service, row, may_see_secrets(caller)) for row in rows]
    found = [row for row in shown if node in (None, *row["nodes"])]
    return json(page(within(found, "updated", since, until), limit, offset))


@router.post("/playbooks/preview")
async def preview(service: Served, caller: Operator, wish: PreviewWish) -> Response:
    """What each node would get, rendered; nothing is saved. What is wrong for one node is in its `problems`."""

    def work(farm: Any, moment: Any) -> Any:
        return changes.preview(farm, wish.name, wish.data, moment), []

    return json(await do(service, work, caller.name))


@router.get("/playbooks/{name}")
async def playbook(service: Served, caller: Reader, name: str) -> Response:
    row = service.flow.farm["playbook"].get(name)
    if row is None:
        raise Refused("name", f"there is no playbook {name[:64]}", 404)
    return json(_shown(service, row, may_see_secrets(caller)))


@router.put("/playbooks/{name}")
async def save_playbook(service: Served, caller: Operator, name: str, wish: PlaybookWish) -> Response:
    """`{playbook, rollout, left}`; `left`: nodes that an older rollout holds back."""

    def work(farm: Any, moment: Any) -> Any:
        return changes.save_playbook(farm, name, wish.data, wish.if_version, wish.note, wish.canary, moment)

    return json(await do(service, work, caller.name))


@router.delete("/playbooks/{name}")
async def remove_playbook(service: Served, caller: Operator, name: str, canary: str = "") -> Response:
    """Takes its miners off the nodes; the versions stay and can be restored."""

    def work(farm: Any, moment: Any) -> Any:
        return changes.remove_playbook(farm, name, canary, moment)

    return json(await do(service, work, caller.name))


@router.get("/playbooks/{name}/versions")
async def versions(
    service: Served,
    caller: Reader,
    name: str,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """All of them, newest first: `version data note created by`; `data` is null where it was removed."""
    rows = [row for row in list(service.flow.farm["playbook_version"].values()) if row["name"] == name]
    found = [playbooks.shown(row, may_see_secrets(caller)) for row in sorted(rows, key=lambda row: -row["version"])]
    return json(page(within(found, "created", since, until), limit, offset))


@router.get("/playbooks/{name}/diff")
async def diff(service: Served, caller: Reader, name: str, before: Version, after: Version) -> Response:
    """`changes`: fields that differ between two versions, each `{field, before, after}`."""
    rows: list[Row] = []
    for version in (before, after):
        row = service.flow.farm["playbook_version"].get((name, version))
        if row is None:
            raise Refused("version", f"there is no version {version} of playbook {name[:64]}", 404)
        rows.append(playbooks.shown(row, may_see_secrets(caller))["data"] or {})
    return json({"name": name, "before": before, "after": after, "changes": playbooks.difference(*rows)})


@router.post("/playbooks/{name}/restore")
async def restore(service: Served, caller: Operator, name: str, wish: RestoreWish) -> Response:
    """An older version becomes the newest; also one of a playbook that was removed."""

    def work(farm: Any, moment: Any) -> Any:
        return changes.restore_playbook(farm, name, wish.version, wish.canary, moment)

    return json(await do(service, work, caller.name))


def _shown(service: Service, row: Row, secrets: bool) -> Row:
    farm = service.flow.farm
    nodes = sorted(node["id"] for node in list(farm["node"].values()) if playbooks.targeted(farm, row["data"], node))
    held = [node for node in nodes if rollouts.holder_of(farm, node)]
    return {**playbooks.shown(row, secrets), "nodes": nodes, "held": held}
