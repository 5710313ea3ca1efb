"""Where alerts are told: webhook, ntfy, e-mail, MQTT."""

import asyncio
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from commander import notify
from commander.effects import Refused
from commander.fleet import notifiers
from commander.http.access import Admin, Operator, Served
from commander.http.paging import Limit, Offset, Since, Until, do, json, page, within
from commander.notify import NotSent
from commander.notify_edge import Health
from commander.service import Service

router = APIRouter(prefix="/api/v1")


class NotifierWish(BaseModel, extra="forbid"):
    kind: str = Field(description="webhook, ntfy, email or mqtt")
    data: dict[str, Any] = Field(default={}, description="settings of the kind; a secret left out or `***` stays")
    severity: str = Field(default="warning", description="the least that is told")
    after_s: int = Field(default=10, description="how long an alert must stand before it is told, in s")


@router.get("/notifiers")
async def notifier_list(
    service: Served, _: Operator, since: Since = None, until: Until = None, limit: Limit = 100, offset: Offset = 0
) -> Response:
    """All outputs; `sent`, `failed` (in a row), `problem` and `sent_at` (ms) are of this commander's run."""
    rows = [_shown(service, row) for row in sorted(service.flow.farm["notifier"].values(), key=lambda row: row["name"])]
    return json(page(within(rows, "updated", since, until), limit, offset))


@router.put("/notifiers/{name}")
async def set_notifier(service: Served, caller: Admin, name: str, wish: NotifierWish) -> Response:
    """Make or change one."""
    old = service.flow.farm["notifier"].get(name)
    data = dict(wish.data)
    for secret in notify.kind(wish.kind).Settings.SECRETS:
        if old and old["kind"] == wish.kind and data.get(secret, "***") == "***":
            data[secret] = old["data"].get(secret, "")
    checked = notify.settings(wish.kind, data).model_dump()

    def work(farm: Any, moment: Any) -> Any:
        return None, notifiers.set_notifier(farm, name, wish.kind, checked, wish.severity, wish.after_s, moment)

    await do(service, work, caller.name)
    return json(_shown(service, service.flow.farm["notifier"][name]))


@router.delete("/notifiers/{name}")
async def remove_notifier(service: Served, caller: Admin, name: str) -> Response:
    """Remove one."""
    await do(service, lambda farm, moment: (None, notifiers.remove_notifier(farm, name, moment)), caller.name)
    return json({"removed": name})


@router.post("/notifiers/{name}/test")
async def try_notifier(service: Served, _: Admin, name: str) -> Response:
    """Send an example there now; 502 when it was not taken."""
    try:
        await asyncio.to_thread(service.notifier.try_out, name)
    except NotSent as error:
        raise Refused("notifier", str(error), 502) from None
    return json({"sent": name})


def _shown(service: Service, row: dict[str, Any]) -> dict[str, Any]:
    health = service.notifier.health.get(row["name"], Health())
    state = {"sent": health.sent, "failed": health.failed, "problem": health.problem, "sent_at": health.at or None}
    return {**row, "data": notify.shown(row["kind"], row["data"]), **state}
