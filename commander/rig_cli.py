"""farmhand rig: DUCO rigs as tables, or as JSON for programs."""

import json
import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from commander.api import Api
from commander.options import HERE, ApiKey, AsJson, Limit, Node, State, Url
from commander.show import Item, alerts, console, new_table, quantity, when, word
from schema.mining import RUN_STATES, SERVER_STATES

app = typer.Typer(help="DUCO rigs: AVRs that mine on the I2C bus of a node.", no_args_is_help=True)


@app.command("list")
def rig_list(state: State = HERE, url: Url = "", key: ApiKey = "", limit: Limit = 100, as_json: AsJson = False) -> None:
    """All rigs with their totals."""
    answer = Api(state, url, key).get("/mining/rigs", limit=limit)
    if as_json:
        print(json.dumps(answer))
        return
    shown = new_table("Rigs", "rig", "slaves", *_COLUMNS, "alerts", "gateway")
    for rig in answer["items"]:
        about = _name(rig["node"], rig["presence"]), _here(rig["totals"])
        shown.add_row(*about, *_figures(rig["totals"]), str(len(rig["alerts"])), ", ".join(rig["gateways"]))
    console.print(shown if shown.row_count else "no rigs")


@app.command("show")
def rig_show(
    node: Node,
    hours: Annotated[int, typer.Option(min=1, max=744, help="of the history, back from now")] = 24,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """One rig: its slaves, what the pool gateway says of them, and what they did hour by hour."""
    api = Api(state, url, key)
    rig = api.get(f"/mining/rigs/{node}")
    since = int(time.time() * 1000) - hours * 3_600_000
    past = api.get(f"/mining/rigs/{node}/history", step="hour", since=since)
    if as_json:
        print(json.dumps({**rig, "history": past}))
        return
    console.print(_slaves(rig))
    for name, texts in (("state", SERVER_STATES), ("run", RUN_STATES)):
        seen = {slave["server" if name == "state" else "state"] for slave in rig["slaves"]}
        console.print(f"[dim]{name}: {', '.join(f'{k} {texts[k]}' for k in texts if k in seen)}[/]")
    if rig["gateways"]:
        console.print(_pool(rig["slaves"]))
    console.print(_history(past["items"], hours))
    if rig["alerts"]:
        alerts(rig["alerts"])


_COLUMNS = ("hash rate", "busy", "shares", "faults", "waits, ms")
_CAPTION = "shares: accepted/refused/lost; waits: mean for a job/a verdict"


def _slaves(rig: Item) -> Any:
    shown = new_table(f"Rig {rig['node']}", "slave", "state", "run", *_COLUMNS, "diff.", "age")
    for slave in rig["slaves"]:
        about = _name(slave["device"], slave["presence"]), escape(slave["server"]), escape(slave["state"])
        shown.add_row(*about, *_figures(slave), _figure(slave["difficulty"]), f"{slave['age_ms'] // 1000} s")
    shown.add_section()
    shown.add_row(_here(rig["totals"]), "", "", *_figures(rig["totals"]), "", "")
    shown.caption, shown.caption_justify = _CAPTION, "left"
    return shown


def _pool(slaves: list[Item]) -> Any:
    shown = new_table(
        "Pool gateway", "slave", "by", "links", "pool", "tier", "diff.", "shares", "waits, ms", "held back"
    )
    for slave in slaves:
        if pool := slave["pool"]:
            figures = [_figure(pool.get(name)) for name in ("server", "pool", "tier", "difficulty")]
            rest = _shares(pool), _waits(pool, "job_ms", "verdict_ms"), _figure(pool.get("paced_ms"), "ms")
            shown.add_row(escape(slave["device"]), escape(pool["gateway"]), *figures, *rest)
    return shown


def _history(items: list[Item], hours: int) -> Any:
    shown = new_table(f"Last {hours} h", "hour", "hash rate", *_COLUMNS[2:])
    for row in items:
        shown.add_row(when(row["ts"])[:16], _figure(row["hashrate"], "H/s"), *_figures(row)[2:])
    return shown


def _name(name: str, presence: str) -> str:
    return escape(name) if presence == "ready" else f"{escape(name)} {word(presence)}"


def _here(totals: Item) -> str:
    text = f"{totals['here']} of {totals['known']}"
    return text if totals["here"] == totals["known"] else f"[red]{text}[/]"


def _figures(row: Item) -> list[str]:
    rates = _figure(row["hashrate"], "H/s"), _figure(row.get("busy_pct"), "%")
    waits = _waits(row, "job_wait_ms", "verdict_wait_ms")
    return [*rates, _shares(row), _figure(row["faults"]), waits]


def _shares(row: Item) -> str:
    return "/".join(_figure(row.get(name)) for name in ("accepted", "refused", "lost"))


def _waits(row: Item, *names: str) -> str:
    return "/".join(f"{row[name]:.0f}" if isinstance(row.get(name), int | float) else "-" for name in names)


def _figure(value: Any, unit: str = "") -> str:
    return "-" if value is None else escape(quantity(value, unit))
