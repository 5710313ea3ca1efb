"""The HTTP half of the gateway for the PyPI client `icefarm`: an application of its own. That client asks by GET with a
JSON body; POST is taken as well.

What is refused has another status than 200, which the client takes for `False`.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from commander.boards import icefarm, leases, orders, views, wishes
from commander.effects import Refused, Row
from commander.http.access import Served
from commander.http.board_calls import answered
from commander.http.board_wishes import MOST, Short
from commander.http.boards import limits_of
from commander.http.bounded import MIB, Bounded
from commander.http.errors import answer_errors
from commander.http.paging import do, json, now_ms
from commander.icefarm_keys import admit
from commander.service import Service

routes = APIRouter()  # not `router`: it is no part of the API

ANSWER_S = 15.0  # the client waits 20 s
PAGE = """<!doctype html>
<title>iCEFARM gateway</title>
<p>This is the gateway of a farmhand farm for iCEFARM clients (docs/icefarm.md). Give its address to one:</p>
<pre>PulseCountClient("{here}", "any-name", logger)</pre>
<p>Boards, and who has them: <a href="{boards}">{boards}</a></p>
"""
EVERYWHERE = ("", "0.0.0.0", "::")  # an address to listen on, not one to go to

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]*$")]
Serials = Annotated[list[Short], Field(max_length=wishes.MOST_COUNT)]


class OfClient(BaseModel):
    name: Name


class SerialsOfClient(OfClient):
    serials: Serials


class ReserveAny(OfClient):
    kind: Short
    args: dict[str, Any] = {}
    amount: int = Field(ge=1, le=MOST)


class ReserveThese(SerialsOfClient):
    kind: Short
    args: dict[str, Any] = {}


class SerialsOnly(BaseModel):
    serials: Serials


class Desk:
    """What the routes share. `hush`: a client is told nothing more of the beginning of these boards."""

    def __init__(self, service: Service, user: str, hush: Callable[[str, list[str]], None]) -> None:
        self.service, self.user, self.hush = service, user, hush

    @property
    def asker(self) -> wishes.Asker:
        return wishes.Asker(self.user)

    def leases(self, name: str | None = None) -> list[Row]:
        return icefarm.leases_of(self.service.flow.farm, self.user, name)

    def available(self) -> list[str]:
        return views.available(self.service.flow.farm, {}, None, now_ms())

    def parts(self, wish: "SerialsOfClient") -> dict[str, list[str]]:
        """lease of this client -> which of the boards it has."""
        wanted = _lower(wish.serials)
        found = {row["id"]: [serial for serial in wanted if serial in row["boards"]] for row in self.leases(wish.name)}
        return {lease: mine for lease, mine in found.items() if mine}

    async def extended(self, lease: str) -> bool:
        """Not when somebody with fewer boards waits for one of it, nor when it may not last longer: the client asks by
        itself, again and again."""
        before = self.service.flow.farm["board_lease"][lease]["until"]
        limits = limits_of(self.service)
        try:
            row: Row = await self.do(partial(leases.extend, unless_wanted=True), self.asker, lease, None, limits)
        except Refused:
            return False
        return row["until"] > before or row["until"] < row["begun"] + limits.max_s * 1000

    async def do(self, what: Callable[..., Any], *arguments: Any) -> Any:
        return await do(self.service, lambda farm, moment: what(farm, *arguments, moment), self.user)


def create(service: Service, user: str, hush: Callable[[str, list[str]], None]) -> FastAPI:
    app = FastAPI(title="farmhand for iCEFARM clients", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = service
    app.add_middleware(Bounded, most=MIB)
    app.state.desk = Desk(service, user, hush)
    app.include_router(routes)
    answer_errors(app)
    return app


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    _credentials(desk.service, request)
    return desk


def _credentials(service: Service, request: Request) -> str:
    return admit(service, request.headers.get("authorization", ""))


AtDesk = Annotated[Desk, Depends(_desk)]


def _either(path: str) -> Any:
    return routes.api_route(path, methods=["GET", "POST"])


@_either("/")
async def front(service: Served, request: Request) -> Response:
    host, _, port = service.http.rpartition(":")
    there = _host(request.url.hostname or "") if host.strip("[]") in EVERYWHERE else host
    here = str(request.base_url).rstrip("/")
    if service.settings.icefarm_keys:
        here = here.replace("://", "://any:YOUR-KEY@", 1)
    return HTMLResponse(PAGE.format(here=escape(here), boards=escape(f"http://{there}:{port}/boards")))


@_either("/available")
async def available(desk: AtDesk) -> Response:
    return json({"amount": len(desk.available())})


@_either("/devices")
async def devices(desk: AtDesk) -> Response:
    return json(desk.available())


@_either("/reserve")
async def reserve(desk: AtDesk, request: Request, wish: ReserveAny) -> Response:
    return await _reserved(desk, request, wish, wish.amount, [])


@_either("/reserveserials")
async def reserve_serials(desk: AtDesk, request: Request, wish: ReserveThese) -> Response:
    if not wish.serials:
        raise Refused("serials", "must name a board")
    return await _reserved(desk, request, wish, None, wish.serials)


@_either("/extend")
async def extend(desk: AtDesk, wish: SerialsOfClient) -> Response:
    """All boards of a lease are extended together; those that were asked for are answered, if they were extended."""
    return json([serial for lease, mine in desk.parts(wish).items() if await desk.extended(lease) for serial in mine])


@_either("/extendall")
async def extend_all(desk: AtDesk, wish: OfClient) -> Response:
    found = desk.leases(wish.name)
    return json([serial for row in found if await desk.extended(row["id"]) for serial in row["boards"]])


@_either("/end")
async def end(desk: AtDesk, wish: SerialsOfClient) -> Response:
    parts = desk.parts(wish)
    for lease, mine in parts.items():
        await desk.do(leases.end, desk.asker, lease, mine)
    return json([serial for mine in parts.values() for serial in mine])


@_either("/endall")
async def end_all(desk: AtDesk, wish: OfClient) -> Response:
    rows: list[Row] = await desk.do(leases.end_all, leases.Whose(desk.user, wish.name))
    return json([serial for row in rows for serial in row["boards"]])


@_either("/reboot")
async def reboot(desk: AtDesk, wish: SerialsOnly) -> Response:
    return await _told(desk, wish.serials, "reboot")


@_either("/delete")
async def delete(desk: AtDesk, wish: SerialsOnly) -> Response:
    return await _told(desk, wish.serials, "delete")


@_either("/clear-workers")
async def clear_workers() -> Response:
    raise Refused("clear-workers", "would end the reservations of everybody; /endall ends those of one client", 403)


async def _reserved(
    desk: Desk, request: Request, wish: ReserveAny | ReserveThese, count: int | None, serials: list[str]
) -> Response:
    limits = limits_of(desk.service)
    asked = icefarm.wish(wish.name, wish.kind, wish.args, count, serials, limits.idle_s)
    (lease,) = await desk.do(leases.reserve, desk.asker, asked, limits)
    host, scheme = request.url.hostname or "", request.url.scheme
    port = request.url.port or (443 if scheme == "https" else 80)
    there = _credentials(desk.service, request) + _host(host)
    return json(icefarm.rows(sorted(lease["boards"]), scheme, there, port))


async def _told(desk: Desk, serials: list[str], what: str) -> Response:
    """Only to boards that a client of this gateway has: the request does not say whose they are."""
    wanted = _lower(serials)
    for lease in desk.leases():
        desk.hush(lease["name"], [serial for serial in wanted if serial in lease["boards"]])
    held = {serial for lease in desk.leases() for serial in lease["boards"]}

    async def obeyed(serial: str) -> bool:
        try:
            async with asyncio.timeout(ANSWER_S):
                row = await answered(desk.service, await desk.do(orders.order, desk.asker, serial, what))
        except (Refused, TimeoutError):
            return False
        return row["status"] == "done"

    mine = [serial for serial in wanted if serial in held]
    done = await asyncio.gather(*map(obeyed, mine))
    return json([serial for serial, ok in zip(mine, done, strict=True) if ok])


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _lower(serials: list[str]) -> list[str]:
    return list(dict.fromkeys(serial.lower() for serial in serials))
