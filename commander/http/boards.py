"""FPGA boards: which there are, who has them, reserving, extending, giving back."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator

from commander.boards import leases, orders, views, wishes
from commander.boards.pool import HEALTH
from commander.boards.tables import board_history
from commander.effects import Effects, Farm, Moment, Refused, Row
from commander.fleet.views import history
from commander.http.access import Caller, Operator, Reader, Served
from commander.http.board_calls import SerialWord, answered, refusal
from commander.http.board_wishes import (
    AllWish,
    BoardsWish,
    DoWish,
    EndAllWish,
    EndWish,
    ExtendOneWish,
    ReserveWish,
)
from commander.http.paging import (
    After,
    Before,
    Limit,
    Offset,
    Since,
    SinceWhole,
    Until,
    Word,
    do,
    history_page,
    json,
    now_ms,
    page,
    span,
    within,
)
from commander.service import Service
from schema.boards import STATES

router = APIRouter(prefix="/api/v1/boards")

Lease = Annotated[str, Path(description="its id: l-...")]
Serial = Annotated[str, AfterValidator(str.lower), Path(description="of the board's USB device")]
Tags = Annotated[list[str], Query(alias="tag", description="all of them; repeatable")]


@router.get("")
async def boards(
    service: Served,
    _: Reader,
    state: Word = None,
    node: Word = None,
    type: Word = None,
    tag: Tags = [],  # noqa: B006
    health: Word = None,
    user: Word = None,
    free: bool | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Each with its state, its health, its sentry, and the lease that has it."""
    if health is not None and health not in HEALTH:
        raise Refused("health", f"must be one of: {', '.join(HEALTH)}")
    if state is not None and state not in STATES:
        raise Refused("state", f"must be one of: {', '.join(STATES)}")
    wanted = {"state": state, "node": node, "type": type, "health": health, "user": user, "free": free}
    given = {name: value for name, value in wanted.items() if value is not None}
    rows = views.board_list(service.flow.farm, now_ms())
    found = [row for row in rows if all(row[n] == v for n, v in given.items()) and set(tag) <= set(row["tags"])]
    return json(page(found, limit, offset))


@router.get("/available")
async def available(
    service: Served,
    _: Reader,
    kind: Word = None,
    type: Word = None,
    tag: Tags = [],  # noqa: B006
    health: Word = None,
    firmware: Word = None,
    node: Word = None,
    domain: Word = None,
) -> Response:
    """`{"count", "serials"}` of what would be given out at once."""
    wishes.check_health("health", health)
    wanted = {"type": type, "health": health, "firmware": firmware, "node": node, "domain": domain}
    selector: Row = {name: value for name, value in wanted.items() if value is not None} | {"tags": tag}
    serials = views.available(service.flow.farm, selector, kind, now_ms())
    return json({"count": len(serials), "serials": serials})


@router.post("/leases", status_code=201)
async def reserve(service: Served, caller: Operator, wish: ReserveWish) -> Response:
    """All boards of the wish at once: now, or when its turn has come (`state`: `active`, `waiting`). The answer's
    `together` has the leases that begin with it. 200 instead of 201: it was made before, with this `id`."""
    asked = _plain(wish) | {"together": [_plain(each) for each in wish.together]}
    limits = limits_of(service)
    if "idle_s" not in wish.model_fields_set:
        asked["idle_s"] = limits.idle_s

    def work(farm: Farm, moment: Moment) -> tuple[tuple[list[Row], bool], Effects]:
        gang, effects = leases.reserve(farm, _asker(caller), asked, limits, moment)
        return (gang, bool(effects)), effects

    gang, is_new = await do(service, work, caller.name)
    first, *others = [_shown(service, row) for row in gang]
    return json(first | ({"together": others} if others else {}), 201 if is_new else 200)


@router.get("/leases")
async def lease_list(
    service: Served,
    _: Reader,
    state: Literal["waiting", "active", "ended"] | None = None,
    user: Word = None,
    name: Word = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """The queue in its order, then the active ones, then those that ended in the last day."""
    rows = views.lease_list(service.flow.farm, now_ms())
    wanted = {"state": state, "user": user, "name": name}
    given = {part: value for part, value in wanted.items() if value is not None}
    found = [row for row in rows if all(row[part] == value for part, value in given.items())]
    return json(page(within(found, "created", since, until), limit, offset))


@router.post("/leases/extend-all")
async def extend_all(service: Served, caller: Operator, wish: AllWish) -> Response:
    """All active ones of the caller."""
    work = _work(leases.extend_all, _whose(caller, wish), wish.length_s, limits_of(service))
    rows = await do(service, work, caller.name)
    return json({"items": [_shown(service, row) for row in rows]})


@router.post("/leases/end-all")
async def end_all(service: Served, caller: Operator, wish: EndAllWish) -> Response:
    """All of the caller, waiting ones too."""
    rows = await do(service, _work(leases.end_all, _whose(caller, wish)), caller.name)
    return json({"items": [_shown(service, row) for row in rows]})


@router.get("/leases/{lease}")
async def one_lease(service: Served, _: Reader, lease: Lease) -> Response:
    """`position` in the queue (1 is next) and `eta` (ms since 1970, null: nobody knows) while it waits."""
    row = service.flow.farm["board_lease"].get(lease)
    if row is None:
        raise Refused("lease", f"there is no lease {lease[:64]}", 404)
    return json(_shown(service, row))


@router.post("/leases/{lease}/extend")
async def extend(service: Served, caller: Operator, lease: Lease, wish: ExtendOneWish) -> Response:
    """It lasts its length from now; not longer than `board_lease_max_s` in all."""
    given = _asker(caller), lease, wish.length_s, limits_of(service)
    work = _work(partial(leases.extend, unless_wanted=wish.unless_wanted), *given)
    return json(_shown(service, await do(service, work, caller.name)))


@router.post("/leases/{lease}/end")
async def end(service: Served, caller: Operator, lease: Lease, wish: EndWish | None = None) -> Response:
    """Gives its boards back (or only those of `serials`), or its place in the queue."""
    work = _work(leases.end, _asker(caller), lease, wish.serials if wish else [])
    return json(_shown(service, await do(service, work, caller.name)))


@router.get("/history")
def all_history(
    service: Served,
    _: Reader,
    serial: SerialWord = None,
    lease: Word = None,
    user: Word = None,
    what: Word = None,
    since: SinceWhole = None,
    until: Until = None,
    limit: Limit = 100,
    before: Before = None,
    after: After = None,
) -> Response:
    """What happened to boards and leases, newest first (with `after`: as it came)."""
    where = {"serial": serial, "lease": lease, "user": user, "what": what}
    return _history(service, where, span(since, until, whole=lease is not None), limit, before, after)


@router.get("/{serial}/history")
def board_history_of(
    service: Served,
    _: Reader,
    serial: Serial,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    before: Before = None,
) -> Response:
    """What happened to one board, newest first."""
    return _history(service, {"serial": serial.replace("\x00", "")}, span(since, until), limit, before)


@router.post("/{serial}/do")
async def board_do(service: Served, caller: Operator, serial: Serial, wish: DoWish) -> Response:
    """The command, once the sentry has answered it; 409 says why it did not."""
    row: Row = await do(service, _work(orders.order, _asker(caller), serial, wish.do), caller.name)
    row = await answered(service, row)
    if row["status"] != "done":
        raise refusal("do", row, f"{wish.do} of {serial}")
    return json(row)


def _plain(wish: BoardsWish) -> Row:
    return wish.model_dump() | {"selector": wish.selector.model_dump(exclude_none=True, exclude_defaults=True)}


def _asker(caller: Caller) -> wishes.Asker:
    return wishes.Asker(caller.user, caller.role == "admin")


def _whose(caller: Caller, wish: AllWish | EndAllWish) -> leases.Whose:
    if wish.user not in (None, caller.user) and caller.role != "admin":
        raise Refused("user", "others' leases need the role admin", 403)
    return leases.Whose(wish.user or caller.user, wish.name)


def limits_of(service: Service) -> wishes.Limits:
    """What the settings say of all leases."""
    settings = service.settings
    return wishes.Limits(settings.board_lease_max_s, settings.board_idle_s or None)


def _work(what: Callable[..., tuple[Any, Effects]], *arguments: Any) -> Callable[[Farm, Moment], tuple[Any, Effects]]:
    return lambda farm, moment: what(farm, *arguments, moment)


def _shown(service: Service, row: Row) -> Row:
    return views.one_lease(service.flow.farm, row, now_ms())


def _history(
    service: Service, where: Row, times: tuple[int, int], limit: int, before: int | None, after: int | None = None
) -> Response:
    given = {name: value for name, value in where.items() if value is not None}
    with service.database.reading() as connection:
        rows = history(connection, board_history, given, *times, limit, before, after)
    return json(history_page(rows, limit))
