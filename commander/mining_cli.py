"""farmhand mining: miners and ASICs as tables, or as JSON for programs."""

import json
import time
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.markup import escape

from commander.api import Api
from commander.options import HERE, ApiKey, AsJson, Limit, Node, State, Url
from commander.show import Item, ago, console, new_table, quantity, word

app = typer.Typer(help="Miners of hosts, and ASICs.", no_args_is_help=True)

DAY_MS = 86_400_000
TERA = 1e12
JOULES_FROM = 1e8  # hashes per joule from which J/TH is what people say
MOST_CARDS = 8  # of a sentry with more ASICs than this, `--device` shows the boards of one
_COLOURS = {"online": "green", "inactive": "yellow", "idle": "cyan", "offline": "red"}
_NAMES = {"miner": "miners", "asic": "ASICs", "rig": "DUCO rigs"}


@app.command()
def overview(state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False) -> None:
    """The whole mining farm, what needs a person first."""
    farm = Api(state, url, key).get("/mining/overview")
    if as_json:
        print(json.dumps(farm))
        return
    if farm["problems"]:
        _problems(farm["problems"])
    shown = new_table("By algorithm", "algorithm", "hash rate", "power", "efficiency", "machines")
    for row in farm["algorithms"]:
        figures = _figure(row["hashrate"], "H/s"), _figure(row["power"], "W"), _efficiency(row["hashes_per_joule"])
        shown.add_row(escape(row["algorithm"]), *figures, str(row["miners"]))
    console.print(shown if shown.row_count else "nothing is mined")
    counts = ", ".join(f"{farm['count'][kind]} {name}" for kind, name in _NAMES.items() if farm["count"][kind])
    states = ", ".join(f"{count} {_state(name)}" for name, count in farm["states"].items() if count)
    console.print(f"{counts or 'no miners'}: {states or 'none'}" if states else counts or "no miners")
    console.print(f"power {_figure(farm['power'], 'W')}; shares accepted/rejected/stale {_shares(farm['shares'])}")


@app.command("list")
def machine_list(
    node: Annotated[str, typer.Option("--node", help="only of this node")] = "",
    in_state: Annotated[str, typer.Option("--in-state", help="online, inactive, idle or offline")] = "",
    algorithm: Annotated[str, typer.Option("--algorithm", help="only what mines this")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Miners and ASICs with their figures."""
    query = {"node": node, "state": in_state, "algorithm": algorithm, "limit": limit}
    answer = Api(state, url, key).get("/mining/miners", **query)
    if as_json:
        print(json.dumps(answer))
        return
    _machines("Miners and ASICs", answer["items"])
    if answer["next"]:
        console.print(f"{len(answer['items'])} of {answer['total']}: --limit shows more")


@app.command()
def show(
    node: Node,
    device: Annotated[str, typer.Option("--device", help="only this one, such as asic-s19")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """One rig: its miners with their cards, and what its playbooks say of them."""
    rig: Item = Api(state, url, key).get(f"/mining/miners/{node}")
    if device:
        rig["miners"] = [each for each in rig["miners"] if each["device"] == device]
        rig["problems"] = [each for each in rig["problems"] if each["device"] in ("", device)]
        if not rig["miners"]:
            raise typer.BadParameter(f"{node} has no {device}: `farmhand mining list --node {node}` shows all")
    if as_json:
        print(json.dumps(rig))
        return
    if rig["problems"]:
        _problems(rig["problems"])
    _machines(f"{node} {'' if rig['presence'] == 'ready' else word(rig['presence'])}", rig["miners"])
    if rig["playbooks"]["desired"] and not device:
        _playbooks(rig["playbooks"])
    if len(rig["miners"]) <= MOST_CARDS:
        for miner in rig["miners"]:
            _cards(miner)
    if device:
        told = {name: value for name, value in rig["miners"][0]["more"].items() if value != ""}
        console.print(escape(", ".join(f"{name} {value}" for name, value in told.items())))


@app.command("days")
def per_day(
    days: Annotated[int, typer.Option("--days", min=1, max=31, help="back from today")] = 7,
    node: Annotated[str, typer.Option("--node", help="only of this node")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Energy and shares of each day (UTC)."""
    since = int(time.time() * 1000) // DAY_MS * DAY_MS - (days - 1) * DAY_MS
    answer = Api(state, url, key).get("/mining/days", since=since, node=node)
    if as_json:
        print(json.dumps(answer))
        return
    shown = new_table("Days (UTC)", "day", "energy", "covered", "accepted/rejected/stale", "hashes")
    for row in answer["items"]:
        date = time.strftime("%Y-%m-%d", time.gmtime(row["ts"] / 1000))
        hashes = ", ".join(f"{escape(name)} {_hashes(count)}" for name, count in row["hashes"].items())
        shown.add_row(date, _energy(row["kwh"]), f"{row['covered_pct']:g} %", _shares(row), hashes)
    console.print(shown if shown.row_count else "no figures of these days")
    by_machine = new_table("By machine", "node", "machine", "energy", "accepted/rejected/stale", "hashes")
    for each in answer["machines"]:
        total = each["totals"]
        figures = _energy(total["kwh"]), _shares(total), _hashes(total["hashes"])
        by_machine.add_row(escape(each["node"]), escape(each["name"]), *figures)
    if by_machine.row_count:
        console.print(by_machine)
    console.print("[dim]Energy and hashes are of the time covered by figures.[/]")


def _problems(problems: Iterable[Item]) -> None:
    shown = new_table("What needs you", "severity", "node", "machine", "what", "text", "since")
    for row in problems:
        since = ago(row["since"]) if row["since"] else ""
        where = escape(row["node"]), escape(row["device"])
        shown.add_row(word(row["severity"]), *where, row["what"], escape(row["text"]), since)
    console.print(shown)


def _machines(title: str, machines: Iterable[Item]) -> None:
    shown = new_table(title, "node", "machine", "state", "software", "algorithm", "hash rate", "power", "efficiency",
                      "temp", "accepted/rejected/stale", "figures")  # fmt: skip
    for each in machines:
        rows = each["algorithms"]
        software = f"{each['more'].get('model') or each['software']} {each['version']}".strip()
        names = escape(" + ".join(row["algorithm"] or "?" for row in rows))
        rates = " + ".join(_figure(row["hashrate"], "H/s") for row in rows) or "-"
        figures = rates, _figure(each["power"], "W"), _efficiency(each["hashes_per_joule"]), _figure(each["temp"], "°C")
        about = escape(each["node"]), escape(each["name"]), _state_of(each), escape(software), names
        shown.add_row(*about, *figures, _shares(each), f"{each['age_ms'] // 1000} s")
    console.print(shown if shown.row_count else "no miners")


def _playbooks(playbooks: Item) -> None:
    desired: Item = playbooks["desired"]
    reported: Item = playbooks["reported"] or {}
    status = reported.get("status", "waiting") if reported.get("rev", 0) >= desired["rev"] else "waiting"
    shown = new_table(f"Playbooks, revision {desired['rev']}", "miner", "playbook", "software", "step", "problem")
    for wish in desired["data"].get("miners", []):
        told: Item = playbooks["steps"].get(wish.get("name")) or {}
        pct = f" {told['pct']} %" if isinstance(told.get("pct"), int | float) else ""
        playbook = f"{wish.get('playbook', '')} v{wish.get('version', '')}"
        software = f"{wish.get('software', '')} {wish.get('release', '')}"
        step = f"{told.get('state', 'waiting')}{pct}"
        shown.add_row(*map(escape, (str(wish.get("name")), playbook, software, step, str(told.get("problem") or ""))))
    console.print(shown)
    console.print(f"{word(status)} {escape(reported.get('error') or '')}")


def _cards(miner: Item) -> None:
    cards = miner["card_list"]
    units = {"hashrate": "H/s", "temp": "°C", "mem_temp": "°C", "fan": "%", "fan_rpm": "rpm", "power": "W",
             "core_mhz": "MHz", "mem_mhz": "MHz"}  # fmt: skip
    told = [name for name in units if any(card.get(name) is not None for card in cards)]
    if not told:
        return
    shown = new_table(f"Cards of {escape(miner['name'])}", "card", "name", *(name.replace("_", " ") for name in told))
    for card in cards:
        figures = [_figure(card.get(name), units[name]) for name in told]
        number = "processor" if card.get("processor") is True else str(card["card"])
        shown.add_row(number, escape(str(card.get("name", ""))), *figures)
    console.print(shown)


def _state(name: str) -> str:
    return f"[{_COLOURS.get(name, 'default')}]{escape(name)}[/]"


def _state_of(machine: Item) -> str:
    return _state(machine["state"]) + (" (maintenance)" if machine["maintenance"] else "")


def _shares(row: Item) -> str:
    return "/".join(f"{row[name]:,}" for name in ("accepted", "rejected", "stale"))


def _efficiency(hashes_per_joule: float | None) -> str:
    if not hashes_per_joule:
        return "-"
    if hashes_per_joule >= JOULES_FROM:
        return f"{TERA / hashes_per_joule:.4g} J/TH"
    return f"{quantity(float(hashes_per_joule), 'H/s')}/W"


def _hashes(count: float | None) -> str:
    return _figure(count, "H/s").removesuffix("/s")


def _energy(kwh: float | None) -> str:
    return "-" if kwh is None else f"{kwh:,.4g} kWh"


def _figure(value: Any, unit: str) -> str:
    return "-" if value is None else escape(quantity(value, unit))
