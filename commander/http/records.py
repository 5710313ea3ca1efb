"""Events, alerts, logs, dead letters, audit: what has happened."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import Table

from commander.effects import Row
from commander.fleet import orders, tables, views
from commander.http.access import Admin, Operator, Reader, Served
from commander.http.paging import Before, Limit, Offset, Since, Until, Word, do, history_page, json, page, span
from commander.service import Service

router = APIRouter(prefix="/api/v1")


@router.get("/events")
def events(
    service: Served,
    _: Reader,
    node: Word = None,
    type: Word = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    before: Before = None,
) -> Response:
    rows = _history(service, tables.event, {"node": node, "type": type}, since, until, limit, before)
    streams = service.flow.farm["stream"]
    for row in rows:
        stream = streams.get(row["stream"])
        row["stream"] = stream["name"] if stream else None
    return json(history_page(rows, limit))


@router.get("/logs")
def logs(
    service: Served,
    _: Reader,
    node: Word = None,
    level: Word = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    before: Before = None,
) -> Response:
    return json(
        history_page(_history(service, tables.log, {"node": node, "level": level}, since, until, limit, before), limit)
    )


@router.get("/dead-letters")
def dead_letters(
    service: Served,
    _: Operator,
    sender: Word = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    before: Before = None,
) -> Response:
    """What was refused and why; `senders` counts all refusals of each sender, also those that a flood kept from being
    stored.
    """
    rows = _history(service, tables.dead_letter, {"sender": sender}, since, until, limit, before)
    counts = sorted(list(service.flow.farm["dead_count"].values()), key=lambda row: -row["count"])
    senders = [{"sender": row["sender"], "count": row["count"], "last": row["last"]} for row in counts[:limit]]
    return json(history_page(rows, limit) | {"senders": senders})


@router.get("/audit")
def audit(
    service: Served, _: Admin, since: Since = None, until: Until = None, limit: Limit = 100, before: Before = None
) -> Response:
    return json(history_page(_history(service, tables.audit, {}, since, until, limit, before), limit))


@router.get("/alerts")
async def alerts(
    service: Served,
    _: Reader,
    node: str | None = None,
    severity: str | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Alerts that stand now, newest first."""
    begin, end = span(since if since is not None else 0, until)
    rows = [
        row
        for row in sorted(list(service.flow.farm["alert"].values()), key=lambda row: -row["since"])
        if begin <= row["since"] < end and node in (None, row["node"]) and severity in (None, row["severity"])
    ]
    return json(page(rows, limit, offset))


@router.delete("/alerts/{node}/{device}/{name}")
async def clear_alert(service: Served, caller: Operator, node: str, device: str, name: str) -> Response:
    await do(service, lambda farm, moment: (None, orders.clear_alert(farm, node, device, name, moment)), caller.name)
    return json({"cleared": name})


def _history(
    service: Service,
    table: Table,
    where: dict[str, Any],
    since: int | None,
    until: int | None,
    limit: int,
    before: int | None,
) -> list[Row]:
    begin, end = span(since, until)
    given = {name: value for name, value in where.items() if value is not None}
    with service.database.reading() as connection:
        return views.history(connection, table, given, begin, end, limit, before)
