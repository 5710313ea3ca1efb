"""DUCO rigs: slaves with their figures, and what they did over time."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from commander.effects import Refused
from commander.http.access import Reader, Served
from commander.http.nodes import known
from commander.http.paging import LATE_MS, Limit, Offset, Since, Until, json, now_ms, page, span, within
from commander.mining import rigs, views

router = APIRouter(prefix="/api/v1/mining")

USUAL = {"minute": views.HOUR, "hour": views.DAY, "day": 31 * views.DAY}
Step = Annotated[
    Literal["minute", "hour", "day"],
    Query(description="of at most 6 hours, 31 and 92 days in one answer; days are those of UTC"),
]
Begin = Annotated[
    int | None,
    Query(ge=0, le=2**53 - 1, description="ms since 1970, from; default 1 hour, 24 hours, 31 days before `until`"),
]


@router.get("/rigs")
async def rig_list(
    service: Served,
    _: Reader,
    domain: str | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Nodes whose devices report telemetry `slave`, with `totals` over their slaves, `alerts`, and the `gateways` that
    have jobs for them. The time range is of the newest figures (`ts`). Units as at `/mining/rigs/{node}`.
    """
    rows = [row for row in rigs.rig_list(service.flow.farm, now_ms()) if domain in (None, row["domain"])]
    return json(page(within(rows, "ts", since, until), limit, offset))


@router.get("/rigs/{node}")
async def rig(service: Served, _: Reader, node: str) -> Response:
    """One rig: `totals`, `alerts`, and its `slaves`, those with a problem first.

    Counts (`requests shares accepted refused lost stale faults`) are since each slave's master started. `hashrate`: H/s
    while hashing; `busy_pct`: % of the time; `job_wait_ms`, `verdict_wait_ms`: mean ms, null before the first;
    `age_ms`: ms since the figures came; `ts`: ms since 1970. `presence`: `ready`, `lost`, or the node's own when that
    is absent. `server`, `state`: letters, with their words in `server_text`, `state_text`. `pool`: what the pool
    `gateway` says of the slave (`job_ms verdict_ms paced_ms` in ms, `hashrate` in H/s), or null. `totals.hashrate` is
    the sum, `totals.busy_pct` the mean of the `here` slaves.
    """
    known(service, node)
    found = rigs.rig(service.flow.farm, node, now_ms())
    if found is None:
        raise Refused("node", f"{node} has no rig: none of its devices reports telemetry `{rigs.PART}`", 404)
    return json(found)


@router.get("/rigs/{node}/history")
def rig_history(
    service: Served,
    _: Reader,
    node: str,
    step: Step = "hour",
    since: Begin = None,
    until: Until = None,
) -> Response:
    """What a rig did in each minute, hour or day, oldest first (`items`), in all (`totals`), and slave by slave
    (`slaves`): counts, restarts of their counters allowed for; `hashrate`: H/s by the clock, waiting included, of the
    items alone; `job_wait_ms`, `verdict_wait_ms`: mean ms. What was counted while nothing was heard of a slave is in
    the step in which it was heard again. `since` is moved to the begin of its step.
    """
    known(service, node)
    end = span(None, until)[1]
    ms, longest = views.STEPS[step], views.LONGEST[step]
    begin = (since if since is not None else max(0, end - USUAL[step])) // ms * ms
    if end - begin > longest + ms + LATE_MS:
        raise Refused("since", f"at most {longest // views.HOUR} hours before `until` with the step {step}")
    devices = rigs.devices(service.flow.farm, node)
    with service.database.reading() as connection:
        found = views.history(connection, node, devices, step, begin, end)
    return json({"node": node, "step": step, "since": begin, "until": end, **found})
