"""Telemetry: the history of one part, and raw rows of all."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from commander.fleet import views
from commander.http.access import Reader, Served
from commander.http.nodes import known
from commander.http.paging import Before, Limit, Since, Until, history_page, json, span

router = APIRouter(prefix="/api/v1")


@router.get("/telemetry")
def all_telemetry(
    service: Served,
    _: Reader,
    node: str | None = None,
    device: str | None = None,
    part: str | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    before: Before = None,
) -> Response:
    """Raw rows as they were stored, newest first."""
    begin, end = span(since, until)
    with service.database.reading() as connection:
        rows = views.raw_rows(connection, service.flow.farm, (node, device, part), begin, end, limit, before)
    return json(history_page(rows, limit))


@router.get("/nodes/{node}/telemetry")
def telemetry(
    service: Served,
    _: Reader,
    node: str,
    part: str,
    device: str = "self",
    step: Literal["auto", "raw", "minute", "hour"] = "auto",
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 2_000,
) -> Response:
    """History of one part, oldest first. `auto` chooses the step by the length of the range."""
    known(service, node)
    begin, end = span(since, until)
    step_used = views.step_for(begin, end) if step == "auto" else step
    with service.database.reading() as connection:
        if step_used == "raw":
            items = views.samples(connection, node, device, part, begin, end, limit)
        else:
            items = views.figures(connection, node, device, part, step_used, begin, end, limit)
            if step == "auto" and not items:  # nothing has been down-sampled yet
                step_used = "raw"
                items = views.samples(connection, node, device, part, begin, end, limit)
    units = service.flow.farm["node"][node]["parts"].get(part, {})
    return json({"step": step_used, "since": begin, "until": end, "units": units, "items": items})
