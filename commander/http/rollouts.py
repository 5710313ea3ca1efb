"""Rollouts, and the labels of nodes that playbooks and trials go by."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from commander.effects import Refused
from commander.http.access import Operator, Reader, Served
from commander.http.paging import Limit, Offset, Since, Until, do, json, page, within
from commander.mining import changes, labels, rollouts

router = APIRouter(prefix="/api/v1/mining")
State = Literal["running", "waiting", "done", "failed", "cancelled"]


class LabelWish(BaseModel, extra="forbid"):
    group: str = ""
    tags: list[str] = []


@router.get("/rollouts")
async def rollout_list(
    service: Served,
    _: Reader,
    state: State | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Newest first, without their nodes; `counts`: how many nodes are in which state."""
    farm = service.flow.farm
    rows = sorted(list(farm["rollout"].values()), key=lambda row: -row["created"])
    found = [rollouts.shown(farm, row, nodes=False) for row in rows if state in (None, row["state"])]
    return json(page(within(found, "created", since, until), limit, offset))


@router.get("/rollouts/{rollout}")
async def one_rollout(service: Served, _: Reader, rollout: str) -> Response:
    """One with its nodes, those with a problem first; `step`: what the node says of its miners meanwhile."""
    farm = service.flow.farm
    row = farm["rollout"].get(rollout)
    if row is None:
        raise Refused("rollout", f"there is no rollout {rollout[:64]}", 404)
    return json(rollouts.shown(farm, row, nodes=True))


@router.post("/rollouts/{rollout}/continue")
async def go_on(service: Served, caller: Operator, rollout: str) -> Response:
    """Let the nodes go that it holds back; an admin does when pools, addresses or coins changed."""

    def work(farm: Any, moment: Any) -> Any:
        return changes.continue_rollout(farm, rollout, caller.role == "admin", moment)

    return json(await do(service, work, caller.name))


@router.post("/rollouts/{rollout}/cancel")
async def cancel(service: Served, caller: Operator, rollout: str) -> Response:
    """Put back what it changed; the answer's rollout brings the canary nodes what they had."""

    def work(farm: Any, moment: Any) -> Any:
        return changes.cancel_rollout(farm, rollout, moment)

    return json(await do(service, work, caller.name))


@router.get("/labels")
async def label_list(
    service: Served,
    _: Reader,
    group: str | None = None,
    tag: str | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """`node group tags updated by` of every node, also of those without, and of those that are still to come."""
    farm = service.flow.farm
    rows = [labels.of(farm, node) for node in labels.names(farm)]
    found = [row for row in rows if group in (None, row["group"]) and (tag is None or tag in row["tags"])]
    return json(page(within(found, "updated", since, until), limit, offset))


@router.put("/labels/{node}")
async def set_label(service: Served, caller: Operator, node: str, wish: LabelWish) -> Response:
    """A node's group and tags, all of them; playbooks that it is now for come to it at once."""

    def work(farm: Any, moment: Any) -> Any:
        return changes.label(farm, node, wish.group, wish.tags, moment)

    return json(await do(service, work, caller.name))
