"""The pages: a little HTML and static files; all data comes by the API.

Logging in turns an API key into a cookie that scripts cannot read.
"""

import mimetypes
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from commander import notify
from commander.effects import Farm, Refused
from commander.fleet.notices import SEVERITIES
from commander.http.access import COOKIE, ROLES, Caller, Served, caller_of, find_key, refuse_foreign
from commander.http.paging import json
from commander.mining.machines import miner_kinds
from commander.mining.rigs import has_rig
from commander.service import Service
from schema.boards import NODE_KIND as BOARD
from schema.fleet import NODE_KINDS
from schema.mining import RUN_STATES, SERVER_STATES

router = APIRouter(include_in_schema=False)

WEB = Path(__file__).parent.parent / "web"
COOKIE_S = 90 * 86_400
MAX_FORM_BYTES = 4_096
HEADERS = {
    # Nothing inline and nothing foreign runs, whatever a node calls itself.
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
LISTS = {
    "alerts": ("Alerts", "reader"),
    "events": ("Events", "reader"),
    "tokens": ("Tokens", "admin"),
    "dead-letters": ("Dead letters", "operator"),
}
MINING_KINDS = ("cpu-gpu", "asic")


class Static(NamedTuple):
    content: bytes
    media_type: str
    tag: str


def _static_files() -> dict[str, Static]:
    files: dict[str, Static] = {}
    for path in sorted((WEB / "static").iterdir()):
        content = path.read_bytes()
        kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0] or "text/plain"
        files[path.name] = Static(content, kind, f'"{sha256(content).hexdigest()[:16]}"')
    return files


STATIC = _static_files()
templates = Environment(loader=FileSystemLoader(WEB / "templates"), autoescape=True, undefined=StrictUndefined)


def mines(farm: Farm) -> bool:
    """Whether there is anything that mines, shall mine, or could."""
    return any(node["kind"] in MINING_KINDS for node in list(farm["node"].values())) or bool(miner_kinds(farm))


def way_to_miners(farm: Farm, node: str) -> str:
    """Path of the page of a node's miners or ASICs; "" when it has none."""
    kinds = miner_kinds(farm, node)
    if farm["node"].get(node, {}).get("kind") == "asic":
        kinds.add("asic")  # this is where its first one is added
    return f"/miners/{node}" if "miner" in kinds else f"/asics?filter={node}" if kinds else ""


def show_page(
    service: Service, template: str, caller: Caller | None, status: int = 200, here: str = "", **values: Any
) -> Response:
    """A page with the head that all have; ``here``: the tab it belongs to, unless that is called like the template."""
    role = caller.role if caller else ""
    tabs = [(name, title) for name, (title, least) in LISTS.items() if role and may(role, least)]
    if role and any(node["kind"] == BOARD for node in list(service.flow.farm["node"].values())):
        tabs.insert(0, ("boards", "Boards"))
    if role and has_rig(service.flow.farm):
        tabs.insert(0, ("rigs", "Rigs"))
    if role and mines(service.flow.farm):
        tabs.insert(0, ("mining", "Mining"))
    here = here or template.removesuffix(".html")
    text = templates.get_template(template).render(role=role, tabs=tabs, here=here, **values)
    return HTMLResponse(text, status, headers=HEADERS | {"Cache-Control": "no-store"})


def may(role: str, least: str) -> bool:
    return ROLES.index(role) >= ROLES.index(least)


def _guest(request: Request) -> Caller | None:
    try:
        return caller_of(request)
    except Refused:
        return None


Guest = Annotated[Caller | None, Depends(_guest)]


def to_login(request: Request) -> Response:
    asked = f"{request.url.path}?{request.url.query}".removesuffix("?")
    return RedirectResponse(f"/login?next={quote(asked)}", 303, headers=HEADERS)


def _safe_next(wish: str) -> str:
    """Only a path of ours: `//host` and `/\\host` would lead elsewhere."""
    return wish if wish.startswith("/") and wish[1:2] not in ("/", "\\") and wish.isprintable() else "/"


def _logged_in(request: Request, key: str, target: str) -> Response:
    answer = RedirectResponse(target, 303, headers=HEADERS | {"Cache-Control": "no-store"})
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, key, COOKIE_S, httponly=True, samesite="strict", secure=secure)
    return answer


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    file = STATIC.get(name)
    if file is None:
        raise Refused("name", f"there is no static file {name}", 404)
    headers = HEADERS | {"ETag": file.tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)


@router.get("/")
async def farm(request: Request, service: Served, caller: Guest, key: str = "") -> Response:
    if key:  # the link that `farmhand up` prints; the key leaves the address bar at once
        known = find_key(service.flow.farm, key) is not None
        return (
            _logged_in(request, key, "/")
            if known
            else show_page(service, "login.html", None, 401, next="/", problem="This key is unknown.")
        )
    return show_page(service, "farm.html", caller) if caller else to_login(request)


@router.get("/nodes/{node}")
async def node(request: Request, service: Served, caller: Guest, node: str) -> Response:
    if caller is None:
        return to_login(request)
    if node not in service.flow.farm["node"]:
        return show_page(service, "missing.html", caller, 404, what=f"There is no node {node}.")
    farm = service.flow.farm
    return show_page(service, "node.html", caller, node=node, rig=has_rig(farm, node), miners=way_to_miners(farm, node))


@router.get("/rigs")
async def rig_list(request: Request, service: Served, caller: Guest) -> Response:
    return show_page(service, "rigs.html", caller) if caller else to_login(request)


@router.get("/rigs/wiring")
async def wiring(request: Request, service: Served, caller: Guest) -> Response:
    return show_page(service, "wiring.html", caller, here="rigs") if caller else to_login(request)


@router.get("/rigs/{node}")
async def rig(request: Request, service: Served, caller: Guest, node: str) -> Response:
    if caller is None:
        return to_login(request)
    if node not in service.flow.farm["node"] or not has_rig(service.flow.farm, node):
        return show_page(service, "missing.html", caller, 404, what=f"There is no rig on a node {node}.")
    letters = {"server": SERVER_STATES, "run": RUN_STATES}
    return show_page(service, "rig.html", caller, here="rigs", node=node, letters=letters)


@router.get("/login")
async def login(service: Served, next: str = "/") -> Response:
    return show_page(service, "login.html", None, next=_safe_next(next), problem="")


@router.post("/login")
async def log_in(request: Request, service: Served) -> Response:
    refuse_foreign(request)
    body = await request.body()
    form = parse_qs(body[:MAX_FORM_BYTES].decode("utf-8", "replace"))
    key, target = form.get("key", [""])[0].strip(), _safe_next(form.get("next", ["/"])[0])
    if find_key(service.flow.farm, key) is None:
        problem = "This key is unknown." if key else "Enter a key."
        return show_page(service, "login.html", None, 401, next=target, problem=problem)
    return _logged_in(request, key, target)


@router.post("/logout")
async def log_out(request: Request) -> Response:
    refuse_foreign(request)
    answer = RedirectResponse("/login", 303, headers=HEADERS)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


@router.get("/session")
async def session(caller: Guest) -> Response:
    """Whose key the browser holds (role empty: nobody's).

    The log-in page asks: a link from another site comes without the cookie that the browser has.
    """
    return json((caller or Caller("", ""))._asdict())


def _add_list(name: str, title: str, least: str) -> None:
    @router.get(f"/{name}")
    async def show(request: Request, service: Served, caller: Guest) -> Response:
        if caller is None:
            return to_login(request)
        if not may(caller.role, least):
            return show_page(
                service,
                "missing.html",
                caller,
                403,
                what=f"This page needs a key of the role {least}; yours is for {caller.role}.",
            )
        domains = sorted(service.flow.farm["door"])
        return show_page(
            service,
            f"{name}.html",
            caller,
            title=title,
            domains=domains,
            kinds=[k for k in NODE_KINDS if k != "steward"],
            outputs=notify.names(),
            severities=SEVERITIES,
        )


for _name, (_title, _least) in LISTS.items():
    _add_list(_name, _title, _least)
