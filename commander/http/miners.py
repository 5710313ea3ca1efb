"""Miners and ASICs: what they do now, what they did, and the farm as a whole."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from commander.effects import Farm, Refused, Row
from commander.fleet.presence import presence
from commander.fleet.views import documents
from commander.http.access import Reader, Served, may_see_secrets
from commander.http.mining import USUAL, Begin, Step
from commander.http.nodes import known
from commander.http.paging import LATE_MS, Limit, Offset, Until, json, now_ms, page, span
from commander.mining import asic_orders, miner_views, views
from commander.mining import machines as read
from commander.mining.days import totals
from commander.mining.overview import overview, problems
from commander.mining.told import in_maintenance, reported_miners

router = APIRouter(prefix="/api/v1/mining")

LONGEST_DAYS = 31
Node = Annotated[str | None, Query(description="only of this node")]
StateWord = Annotated[Literal["online", "inactive", "idle", "offline"] | None, Query(description="only in this state")]
AlgorithmName = Annotated[str | None, Query(description="only what mines this, whatever the case")]


@router.get("/overview")
async def farm_overview(service: Served, _: Reader) -> Response:
    """Sums of all miners, ASICs and DUCO rigs that are there, and what needs a person: `algorithms` (`hashrate` H/s,
    `power` W, `hashes_per_joule`), `power` (W, of the `power_known` that say theirs), `shares` since each one's start
    with `reject_pct`, `states`, `count`, `problems` (`what`: `alert`, `playbook`, `offline`, `inactive`)."""
    return json(overview(service.flow.farm, now_ms()))


@router.get("/miners")
async def miner_list(
    service: Served,
    _: Reader,
    node: Node = None,
    state: StateWord = None,
    algorithm: AlgorithmName = None,
    kind: Annotated[Literal["miner", "asic"] | None, Query(description="only miners of hosts, or only ASICs")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """All miners and ASICs by node and name. `state`: `offline` when the node is not there, when nothing came for 60 s,
    or when an ASIC does not answer its sentry; else the node's word. Shares are since its start; `reject_pct`: %
    rejected of accepted, rejected and stale. H/s, W, °C, s; `more`: what only this kind reports."""
    return json(page(_listed(service.flow.farm, node, state, algorithm, kind), limit, offset))


@router.get("/miners/{node}")
async def rig(service: Served, caller: Reader, node: str) -> Response:
    """One node with its `miners` and their `card_list`; `playbooks`: what it shall run (`desired`) and what it says of
    that (`reported`), with `steps` by miner; `maintenance`: people are at work there; `problems`."""
    row, farm = known(service, node), service.flow.farm
    now = now_ms()
    mine, cards = read.machines(farm, now, node), read.cards(farm, node)
    secrets = may_see_secrets(caller)
    desired, reported = (_playbooks(farm, table, node, secrets) for table in ("desired", "reported"))
    if not mine and desired is None:
        raise Refused("node", f"{node} has no miner: none of its devices reports telemetry `{read.PART}`", 404)
    heard = farm["heard"].get(node)
    return json(
        {
            "node": node,
            "domain": row["domain"],
            "kind": row["kind"],
            "presence": presence(farm, row, now),
            "heard": heard["ts"] if heard else None,
            "maintenance": in_maintenance(farm, node),
            "miners": [{**each, "card_list": cards.get(each["device"], [])} for each in mine],
            "playbooks": {"desired": desired, "reported": reported, "steps": reported_miners(farm, node)},
            "problems": [each for each in problems(farm, mine) if each["node"] == node],
        }
    )


@router.get("/miners/{node}/{device}/history")
def history(
    service: Served,
    _: Reader,
    node: str,
    device: str,
    step: Step = "hour",
    since: Begin = None,
    until: Until = None,
) -> Response:
    """What a miner or ASIC did in each minute, hour or day, oldest first, and in all (`totals`). `hashrate`, `power`,
    `temp`: means of the time in which figures came (`heard_s`; `covered_pct` of the step); `kwh`, `hashes`: of that
    time alone; shares: restarts of the counters allowed for. `since` is moved to the begin of its step. Up to
    `housekeeping_s` behind."""
    known(service, node)
    end = span(None, until)[1]
    ms, longest = views.STEPS[step], views.LONGEST[step]
    begin = (since if since is not None else max(0, end - USUAL[step])) // ms * ms
    if end - begin > longest + ms + LATE_MS:
        raise Refused("since", f"at most {longest // views.HOUR} hours before `until` with the step {step}")
    with service.database.reading() as connection:
        items = miner_views.history(connection, [(node, device)], step, begin, end)[node, device]
    head = {"node": node, "device": device, "step": step, "since": begin, "until": end}
    return json({**head, "items": items, "totals": totals(items)})


@router.get("/asics")
async def asics(
    service: Served,
    _: Reader,
    node: Node = None,
    state: StateWord = None,
    algorithm: AlgorithmName = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """All ASICs, as `/mining/miners` lists them."""
    return json(page(_listed(service.flow.farm, node, state, algorithm, "asic"), limit, offset))


@router.get("/asics/{node}/{device}")
async def asic(service: Served, _: Reader, node: str, device: str) -> Response:
    """One ASIC with its boards (`card_list`), its `record` as its sentry's document has it (null: not in it any more),
    and its sentry's `presence` and `heard`."""
    known(service, node)
    farm = service.flow.farm
    found = read.machine(farm, node, device, now_ms())
    if found is None or found["kind"] != "asic":
        raise Refused("device", f"{node} has no ASIC {device}: none of that name reports telemetry", 404)
    heard = farm["heard"].get(node)
    record = asic_orders.watched(farm, node, device)
    return json({**found, "record": record, "heard": heard["ts"] if heard else None})


@router.get("/days")
def days(service: Served, _: Reader, since: Begin = None, until: Until = None, node: Node = None) -> Response:
    """Energy and shares of each day (UTC), oldest first: in all (`items`) and by machine (`machines`, with their own
    `items` and `totals`). `kwh` and `hashes` are of the time in which figures came; `covered_pct`: how much of the
    machines' time that was. `hashes` are by algorithm in the sums, as each machine mines now."""
    end = span(None, until)[1]
    begin = (since if since is not None else max(0, end - 6 * views.DAY)) // views.DAY * views.DAY
    if end - begin > (LONGEST_DAYS + 1) * views.DAY:
        raise Refused("since", f"at most {LONGEST_DAYS} days before `until`")
    machines = read.machines(service.flow.farm, now_ms(), node or "")
    if node is not None:
        known(service, node)
    with service.database.reading() as connection:
        wanted = [(each["node"], each["device"]) for each in machines]
        found = miner_views.history(connection, wanted, "day", begin, end)
    shown: list[Row] = []
    by_day: dict[int, list[tuple[str, Row]]] = {}
    for each in machines:
        rows = found[each["node"], each["device"]]
        name = each["algorithms"][0]["algorithm"] if each["algorithms"] else ""
        head = {part: each[part] for part in ("node", "device", "kind", "name")}
        shown.append({**head, "algorithm": name, "items": rows, "totals": totals(rows)})
        for row in rows:
            by_day.setdefault(row["ts"], []).append((name or "unknown", row))
    items = [{"ts": ts, **_day(rows, len(machines), min(views.DAY, end - ts))} for ts, rows in sorted(by_day.items())]
    everything = [each for rows in by_day.values() for each in rows]
    return json({"since": begin, "until": end, "items": items, "totals": _summed(everything), "machines": shown})


def _playbooks(farm: Farm, table: str, node: str, secrets: bool) -> Row | None:
    return next((row for row in documents(farm, table, node, secrets) if row["doc"] == "playbooks"), None)


def _day(rows: list[tuple[str, Row]], machines: int, ms: int) -> Row:
    sums = _summed(rows)
    return {**sums, "covered_pct": round(min(100.0, 100_000 * sums["heard_s"] / (machines * ms)), 1) if ms else 0.0}


def _summed(rows: list[tuple[str, Row]]) -> Row:
    hashes: dict[str, float] = {}
    for name, row in rows:
        hashes[name] = hashes.get(name, 0.0) + (row["hashes"] or 0.0)
    return {**totals(row for _, row in rows), "hashes": hashes}


def _listed(farm: Farm, node: str | None, state: str | None, algorithm: str | None, kind: str | None) -> list[Row]:
    wanted: dict[str, Any] = {"state": state, "kind": kind}
    found = read.machines(farm, now_ms(), node or "")
    if algorithm is not None:
        word = algorithm.lower()
        found = [row for row in found if any(each["algorithm"].lower() == word for each in row["algorithms"])]
    return [row for row in found if all(value in (None, row[name]) for name, value in wanted.items())]
