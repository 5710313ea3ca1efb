"""farmhand boards list | available | reserve | leases | extend | end | do | history; evaluate_cli.py and console_cli.py
have the rest"""

import json
import time
from typing import Annotated, Any, cast

import typer
from rich.markup import escape

from commander import console_cli, evaluate_cli
from commander.api import PATIENCE_S, Api, ApiError
from commander.boards_options import PARTS, Domain, Firmware, Health, OnNode, Serials, Tags, Type
from commander.options import HERE, ApiKey, AsJson, Limit, LimitUnlessWhole, State, Url
from commander.show import Item, clock, console, new_table, word

app = typer.Typer(help="FPGA boards: reserve them, see who has which, evaluate bitstreams.", no_args_is_help=True)
app.command()(evaluate_cli.evaluate)
app.command()(evaluate_cli.results)
app.command()(console_cli.console)

Lease = Annotated[str, typer.Argument(metavar="[LEASE]", help="its id: l-...")]
User = Annotated[str, typer.Option("--user", help="whose")]
LOOK_S = 0.5
DO_S = 40.0  # a sentry has 30 s


@app.command("list")
def board_list(
    only: Annotated[str, typer.Option("--only", help="boards in this state, e.g. ready or broken")] = "",
    tag: Tags = None,
    type_: Type = "",
    health: Annotated[str, typer.Option("--health", help="good, shaky, broken or quarantine")] = "",
    node: OnNode = "",
    user: User = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: Limit = 1000,
    as_json: AsJson = False,
) -> None:
    """Every board that is plugged in, and who has it."""
    wanted = {"state": only, "tag": tag, "type": type_, "health": health, "node": node, "user": user, "limit": limit}
    answer = Api(state, url, key).get("/boards", **wanted)
    if as_json:
        print(json.dumps(answer))
        return
    table = new_table("Boards", "board", "sentry", "type, tags", "firmware", "state", "user, until")
    table.columns[0].no_wrap = True  # to be copied
    for row in answer["items"]:
        condition = word(row["state"]) if row["presence"] == "ready" else word(row["presence"])
        condition += f", {word('shaky')}" if row["health"] == "shaky" else ""
        told = condition + escape(f": {row['problem']}" if row["problem"] else "")
        what = row["serial"], row["node"], " ".join([row["type"], *row["tags"]]), row["firmware"]
        table.add_row(*map(escape, what), told, f"{escape(row['user'] or '')} {clock(row['until'])}")
    console.print(table if table.row_count else "no boards")


@app.command()
def available(
    kind: Annotated[str, typer.Option("--kind", help="what they shall be usable as")] = "",
    tag: Tags = None,
    type_: Type = "",
    health: Health = "",
    firmware: Firmware = "",
    node: OnNode = "",
    domain: Domain = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """How many boards would be given out at once, and which."""
    wanted = {"kind": kind, "tag": tag, "type": type_, "health": health}
    wanted |= {"firmware": firmware, "node": node, "domain": domain}
    answer = Api(state, url, key).get("/boards/available", **wanted)
    text = f"{answer['count']} available" + (": " + " ".join(answer["serials"]) if answer["serials"] else "")
    print(json.dumps(answer) if as_json else text)


@app.command()
def reserve(
    count: Annotated[int | None, typer.Argument(help="how many; 1, unless serials are given")] = None,
    kind: Annotated[str, typer.Option("--kind", help="what the boards shall be")] = "pulsecount",
    args: Annotated[str, typer.Option("--args", help="a JSON object for the state of that kind")] = "{}",
    serial: Serials = None,
    tag: Tags = None,
    type_: Type = "",
    health: Health = "",
    firmware: Firmware = "",
    node: OnNode = "",
    domain: Domain = "",
    together: Annotated[
        list[str] | None,
        typer.Option("--together", metavar='"COUNT KIND tag=T ..."', help="more boards, met with these; repeatable"),
    ] = None,
    length: Annotated[int | None, typer.Option("--length", help="seconds; an hour unless given")] = None,
    idle: Annotated[int | None, typer.Option("--idle", help="end it after so many seconds without use")] = None,
    priority: Annotated[int, typer.Option("--priority", help="above 0 needs an admin's key")] = 0,
    now: Annotated[bool, typer.Option("--now", help="now or not at all, instead of the queue")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="return when the boards are there")] = False,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Have boards for an hour, all at once; in the queue while they are not free."""
    api = Api(state, url, key)
    words = {"type": type_, "health": health, "firmware": firmware, "node": node, "domain": domain}
    selector: Item = {name: value for name, value in words.items() if value} | {"tags": tag or []}
    wish: Item = {"kind": kind, "args": _object(args), "count": count, "serials": serial or [], "selector": selector}
    wish["together"] = [_part(text) for text in together or ()]
    wish |= {"length_s": length, "priority": priority, "wait": not now} | ({} if idle is None else {"idle_s": idle})
    lease = api.post("/boards/leases", wish)
    api.patience_s = PATIENCE_S
    others: list[Item] = lease.get("together", [])
    shown = False
    while follow and lease["state"] == "waiting":
        if not shown and not as_json:
            _say(lease)
        shown = True
        time.sleep(LOOK_S)
        lease = api.get(f"/boards/leases/{lease['id']}")
    gang = [lease, *(api.get(f"/boards/leases/{each['id']}") for each in others)]
    if as_json:
        print(json.dumps(lease | ({"together": gang[1:]} if others else {})))
        return
    for each in gang:
        _say(each)


@app.command("leases")
def lease_list(
    only: Annotated[str, typer.Option("--only", help="waiting, active or ended")] = "",
    user: User = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """The queue in its order, then who has boards, then what ended in the last day."""
    answer = Api(state, url, key).get("/boards/leases", state=only, user=user, limit=limit)
    if as_json:
        print(json.dumps(answer))
        return
    table = new_table("Leases", "id", "user", "boards", "state")
    table.columns[0].no_wrap = True  # to be copied
    for row in answer["items"]:
        given = _boards(row) or f"{row['count']} wanted {escape(_wish(row))}".rstrip()
        table.add_row(row["id"], escape(row["user"]), f"{escape(row['kind'])}: {given}", _condition(row))
    console.print(table if table.row_count else "no leases")


@app.command()
def extend(
    lease: Lease = "",
    everything: Annotated[bool, typer.Option("--all", help="all of one's own")] = False,
    length: Annotated[
        int | None, typer.Option("--length", help="seconds from now; its own length unless given")
    ] = None,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Have it for its length again, from now."""
    _change(Api(state, url, key), "extend", lease, everything, {"length_s": length}, as_json)


@app.command()
def end(
    lease: Lease = "",
    everything: Annotated[bool, typer.Option("--all", help="all of one's own, waiting ones too")] = False,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Give boards back, or a place in the queue."""
    _change(Api(state, url, key), "end", lease, everything, {}, as_json)


@app.command()
def do(
    serial: Annotated[str, typer.Argument(help="of the board")],
    what: Annotated[str, typer.Argument(metavar="WHAT", help="reboot, delete or power-cycle")],
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Reboot a board (what its user waits for is kept), forget it (its sentry begins anew), or cut its power."""
    row = Api(state, url, key).post(f"/boards/{serial.lower()}/do", {"do": what}, timeout=DO_S)
    print(json.dumps(row) if as_json else f"{serial.lower()}: {what} {row['status']}")


@app.command()
def history(
    serial: Annotated[str, typer.Argument(metavar="[SERIAL]", help="of a board; all unless given")] = "",
    lease: Annotated[str, typer.Option("--lease", help="only of this lease")] = "",
    user: User = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: LimitUnlessWhole = None,
    as_json: AsJson = False,
) -> None:
    """What happened to boards and leases, newest first: in the last day, or all of a lease."""
    wanted = {"serial": serial.lower(), "lease": lease, "user": user}
    answer = Api(state, url, key).history("/boards/history", limit or (None if lease else 100), **wanted)
    if as_json:
        print(json.dumps(answer))
        return
    for row in answer["items"]:
        whose = f"{row['lease']} of {row['user']}".removesuffix(" of ") if row["lease"] else row["user"]
        told = ", ".join(filter(None, (whose, _told(row["data"]))))
        about = f"{row['serial']:16} [bold]{escape(row['what']):11}[/]"
        console.print(f"[dim]{clock(row['ts'])}[/] {about} {escape(told)}", highlight=False)
    if not answer["items"]:
        print("nothing happened")


def _change(api: Api, what: str, lease: str, everything: bool, body: Item, as_json: bool) -> None:
    if bool(lease) == everything:
        raise ApiError("lease: give the id of one, or --all")
    answer: Item = api.post(f"/boards/leases/{what}-all" if everything else f"/boards/leases/{lease}/{what}", body)
    if as_json:
        print(json.dumps(answer))
        return
    rows: list[Item] = answer["items"] if everything else [answer]
    for row in rows:
        _say(row)
    if not rows:
        print(f"nothing to {what}")


def _say(row: Item) -> None:
    given = f": {_boards(row)}" if row["state"] == "active" else ""
    console.print(f"{row['id']} {_condition(row)}{given}")


def _condition(row: Item) -> str:
    match row["state"]:
        case "waiting":
            expected = f"expected at {clock(row['eta'])}" if row["eta"] else "nobody knows when"
            return f"{word(row['state'])}, place {row['position']} in the queue, {expected}"
        case "active":
            return f"{word(row['state'])} until {clock(row['until'])}"
        case _:
            return f"{word(row['state'])} at {clock(row['ended'])} ({row['why']})"


def _boards(row: Item) -> str:
    failing: Item = row["failing"]
    return escape(" ".join(b["serial"] + ("!" if b["serial"] in failing else "") for b in row["boards"]))


def _wish(row: Item) -> str:
    return " ".join([*row["serials"], _joined(row["selector"])]).rstrip()


def _told(data: Item) -> str:
    return ", ".join(f"{k} {clock(v) if k == 'until' else _joined(v)}" for k, v in data.items() if v)


def _joined(value: Any) -> str:
    """A list as `a+b`, an object as `name=value other=value`."""
    if isinstance(value, dict):
        fields = cast("Item", value).items()
        return " ".join(f"{name}={_joined(each)}" for name, each in fields)
    return "+".join(map(str, cast("list[Any]", value))) if isinstance(value, list) else str(value)


def _part(text: str) -> Item:
    """Of a gang: "1 variance tag=sma"."""
    count, kind, *words = [*text.split(), "", ""]
    pairs = [word.partition("=") for word in words if word]
    if not count.isdecimal() or not kind or not all(value and name in PARTS for name, _, value in pairs):
        allowed = ", ".join(f"{name}=VALUE" for name in PARTS)
        raise ApiError(f'together: {text!r} must be "COUNT KIND", and then as wanted: {allowed}')
    selector: Item = {name: value for name, _, value in pairs if name not in ("tag", "serial")}
    selector["tags"] = [value for name, _, value in pairs if name == "tag"]
    serials = [value for name, _, value in pairs if name == "serial"]
    return {"count": int(count), "kind": kind, "serials": serials, "selector": selector}


def _object(text: str) -> Item:
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise ApiError(f"args: no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ApiError('args: must be a JSON object, e.g. {"flush": 10}')
    return cast("Item", found)
