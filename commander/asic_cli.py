"""farmhand asic list | show | check | scan | add | set | remove | control"""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.markup import escape

from commander.api import UNDER_WAY, Api, ApiError
from commander.options import HERE, ApiKey, AsJson, Limit, Node, State, Url
from commander.show import Item, ago, console, new_table, quantity, word

app = typer.Typer(help="ASICs that a sentry watches over the network.", no_args_is_help=True)

TYPES = "cgminer, braiins, iceriver, bitaxe, pyasic"
Name = Annotated[str, typer.Argument(help="of the ASIC, without `asic-`")]
Type = Annotated[str, typer.Argument(help=f"{TYPES}, or auto")]
Host = Annotated[str, typer.Argument(help="IP address or name; with :PORT if it is not the usual one")]
UNITS = {"hashrate": "H/s", "expected": "H/s", "power": "W", "temp": "°C", "uptime_s": "s", "fan_rpm": "rpm"}
LOOK_S = 0.3


@app.command("list")
def asic_list(
    node: Node, state: State = HERE, url: Url = "", key: ApiKey = "", limit: Limit = 1000, as_json: AsJson = False
) -> None:
    """The ASICs of a sentry with their figures."""
    answer = Api(state, url, key).get(f"/nodes/{node}/asics", limit=limit)
    if as_json:
        print(json.dumps(answer))
        return
    shown = new_table(
        f"ASICs of {node}", "asic", "type", "host", "model", "state", "hash rate", "power", "temp", "told"
    )
    for each in answer["items"]:
        figures = each["figures"]
        rates = (
            _figure(figures.get(name), unit) for name, unit in (("hashrate", "H/s"), ("power", "W"), ("temp", "°C"))
        )
        about = escape(each["name"]), each["type"], escape(_place(each)), escape(_said(each, "model"))
        shown.add_row(*about, _state(each), *rates, ago(figures.get("ts")))
    console.print(shown if shown.row_count else "no ASICs")


@app.command("show")
def asic_show(
    node: Node, name: Name, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False
) -> None:
    """All about one ASIC."""
    items = Api(state, url, key).get(f"/nodes/{node}/asics", limit=1000)["items"]
    found = next((each for each in items if each["name"] == name), None)
    if found is None:
        raise ApiError(f"name: {node} has no ASIC {name}")
    if as_json:
        print(json.dumps(found))
        return
    shown = new_table(f"{node} {found['device']}", "what", "value")
    for field in ("type", "host", "port", "control", "poll_s", "expected", "watchdog"):
        if field in found:
            shown.add_row(field, escape(str(found[field])))
    for field, value in {**found["figures"], **found["said"]}.items():
        shown.add_row(field, escape(ago(value) if field == "ts" else _figure(value, UNITS.get(field, ""))))
    console.print(shown)


@app.command()
def check(
    node: Node,
    kind: Type,
    host: Host,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Have the sentry look at one that is not in its document yet."""
    found = Api(state, url, key).post(f"/nodes/{node}/asics/check", {"type": kind, **_parted(host)})
    print(json.dumps(found) if as_json else _line(found))


@app.command()
def scan(
    node: Node,
    addresses: Annotated[str, typer.Argument(metavar="RANGE", help="192.168.1.0/24 or 192.168.1.10-192.168.1.99")],
    port: Annotated[list[int] | None, typer.Option("--port", help="instead of 4028 and 80; repeatable")] = None,
    force: Annotated[bool, typer.Option("--force", help="also addresses that are not private")] = False,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Have the sentry find ASICs in a range of at most 4096 addresses. --json gives what `asic add --from` takes."""
    api = Api(state, url, key)
    row = api.post(f"/nodes/{node}/asics/scan", {"range": addresses, "ports": port, "force": force})
    result = _awaited(api, row, None if as_json else "scan")
    if as_json:
        print(json.dumps(result))
        return
    for each in result["found"]:
        print(_line(each))
    more = f", {result['more']} more were left out" if result["more"] else ""
    print(f"{len(result['found'])} found at {result['asked']} addresses{more}")


@app.command()
def add(
    node: Node,
    name: Annotated[str, typer.Argument(help="for it; with --from: what the names begin with")],
    kind: Annotated[str, typer.Argument(metavar="TYPE", help=f"{TYPES}, or auto")] = "",
    host: Annotated[str, typer.Argument(help="IP address or name; with :PORT if it is not the usual")] = "",
    found: Annotated[
        Path | None, typer.Option("--from", help="add all that `asic scan --json` wrote into this file; `-`: input")
    ] = None,
    control: Annotated[bool, typer.Option("--control", help="it may be told things; needs an admin")] = False,
    unchecked: Annotated[bool, typer.Option("--unchecked", help="also when it does not answer now")] = False,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Have a sentry watch an ASIC, after it has looked at it."""
    if found is not None:
        asics, unchecked = _from_scan(found, name), True
    elif kind and host:
        asics = [{"name": name, "type": kind, **_parted(host)}]
    else:
        raise ApiError("type, host: must be given, or --from")
    wish = {"asics": [{**each, "control": control} for each in asics], "unchecked": unchecked}
    answer = Api(state, url, key).post(f"/nodes/{node}/asics", wish)
    if as_json:
        print(json.dumps(answer))
        return
    for asic, seen in zip(answer["asics"], answer["found"], strict=True):
        print(f"{asic['name']} added: {_line(seen or asic)}")


@app.command("set")
def asic_set(
    node: Node,
    name: Name,
    control: Annotated[bool | None, typer.Option("--control/--no-control", help="may it be told things?")] = None,
    host: Annotated[str | None, typer.Option("--host", help="where it is now")] = None,
    poll_s: Annotated[int | None, typer.Option("--poll-s", help="seconds between two looks")] = None,
    expected: Annotated[float | None, typer.Option("--expected", help="hash rate it should have, H/s")] = None,
    watchdog: Annotated[str | None, typer.Option("--watchdog", help="its rules, as a JSON array")] = None,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Change the record of an ASIC. Only an admin may allow control."""
    try:
        rules = json.loads(watchdog) if watchdog is not None else None
    except ValueError as error:
        raise ApiError(f"--watchdog: must be JSON: {error}") from None
    given = {"control": control, "poll_s": poll_s, "expected": expected, "watchdog": rules}
    fields = {field: value for field, value in given.items() if value is not None} | (_parted(host) if host else {})
    row = Api(state, url, key).put(f"/nodes/{node}/asics/{name}", fields)
    print(json.dumps(row) if as_json else f"{name}: " + ", ".join(f"{k} {v}" for k, v in row.items() if k != "name"))


@app.command()
def remove(
    node: Node, name: Name, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Watch an ASIC no longer; its history stays."""
    answer = Api(state, url, key).delete(f"/nodes/{node}/asics/{name}")
    print(json.dumps(answer) if as_json else f"{name} removed")


@app.command()
def control(
    node: Node,
    name: Name,
    do: Annotated[str, typer.Argument(help="restart, reboot, sleep, wake, power_limit")],
    value: Annotated[float | None, typer.Argument(help="W, of power_limit")] = None,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Tell an ASIC something. Only where an admin has allowed it."""
    api = Api(state, url, key)
    row = api.post(f"/nodes/{node}/asics/{name}/control", {"do": do, "value": value})
    result = _awaited(api, row, None)
    print(json.dumps(result) if as_json else f"{name}: {do} done")


def _awaited(api: Api, row: Item, shown: str | None) -> Any:
    """The result of a command; ApiError when it was not done. ``shown``: what its progress is called."""
    told = ""
    while row["status"] in UNDER_WAY:
        time.sleep(LOOK_S)
        row = api.get(f"/commands/{row['id']}")
        if shown and row["pct"] is not None and told != (told := f"{shown} {row['pct']} %"):
            print(told, file=sys.stderr)
    if row["status"] != "done":
        said = cast(Item, row["result"]) if isinstance(row["result"], dict) else {}
        raise ApiError(f"{row['name']} {row['status']}: {said.get('problem') or row['code'] or 'no answer in time'}")
    return row["result"]


def _parted(host: str) -> Item:
    name, colon, port = host.rpartition(":")
    return {"host": name, "port": int(port)} if colon and port.isdecimal() else {"host": host}


def _from_scan(path: Path, name: str) -> list[Item]:
    try:
        told = json.loads(sys.stdin.read() if str(path) == "-" else path.read_text())
        found = [{f: each[f] for f in ("type", "host", "port") if each.get(f)} for each in told["found"]]
        return [{"name": f"{name}-{each['host'].replace('.', '-')}", **each} for each in found]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ApiError(f"--from: {path} is nothing that `asic scan --json` wrote: {error}") from None


def _line(found: Item) -> str:
    rate = found.get("hashrate")
    about = [
        found.get("model"),
        found.get("algorithm"),
        None if rate is None else quantity(rate, "H/s"),
        found.get("pool"),
    ]
    return "  ".join([f"{found['type']:<8} {_place(found)}", *(str(each) for each in about if each)])


def _place(asic: Item) -> str:
    return f"{asic['host']}:{asic['port']}" if asic.get("port") else asic["host"]


def _said(asic: Item, name: str) -> str:
    return str(asic["said"].get(name) or "")


def _state(asic: Item) -> str:
    text = _said(asic, "state") or "not reported"
    problem = _said(asic, "problem")
    return (f"[green]{text}[/]" if text == "online" else word(text)) + (f" {escape(problem)}" if problem else "")


def _figure(value: Any, unit: str) -> str:
    return "-" if value is None else escape(quantity(value, unit))
