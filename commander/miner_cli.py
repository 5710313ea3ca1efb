"""farmhand miner: the miners of a host, by signed commands to its sentry."""

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from commander.api import Api
from commander.options import HERE, ApiKey, AsJson, Node, State, Url
from commander.show import console

app = typer.Typer(help="The miners of a host: pause, stop and start them, read their logs.", no_args_is_help=True)

WAIT_S = 60  # a miner may take its time to end
Name = Annotated[str, typer.Argument(help="of the miner, as in its playbook")]
HELP = {
    "pause": "Have a miner rest; it stays in memory, and hashes again after `resume`.",
    "resume": "Have a paused miner go on.",
    "restart": "End a miner and start it again, also one that was given up.",
    "stop": "End a miner until `start`, or a new revision of the playbooks.",
    "start": "Start a miner that was stopped.",
}


def _command(do: str) -> None:
    @app.command(do, help=HELP[do])
    def run(  # pyright: ignore[reportUnusedFunction]
        node: Node, name: Name, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False
    ) -> None:
        result = _ask(Api(state, url, key), node, "miner", {"name": name, "do": do}, as_json)
        if not as_json:
            extra = ", paused" if result.get("paused") else ""
            console.print(f"{escape(node)}: miner {escape(name)} is {escape(str(result.get('state')))}{extra}")


for word in HELP:
    _command(word)


@app.command("log")
def miner_log(
    node: Node,
    name: Name,
    lines: Annotated[int, typer.Option("--lines", min=1, max=1000, help="how many")] = 100,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """The last lines that a miner wrote."""
    result = _ask(Api(state, url, key), node, "miner-log", {"name": name, "lines": lines}, as_json)
    if not as_json:
        for line in result["lines"]:
            print(line)


@app.command("maintenance")
def maintenance(
    node: Node,
    switch: Annotated[str, typer.Argument(help="on or off")],
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """While people work on a host: the watchdog raises no alerts and does nothing."""
    if switch not in ("on", "off"):
        raise typer.BadParameter("must be on or off", param_hint="SWITCH")
    _ask(Api(state, url, key), node, "miner", {"do": f"maintenance-{switch}"}, as_json)
    if not as_json:
        console.print(f"{escape(node)}: maintenance is {switch}")


def _ask(api: Api, node: str, command: str, args: dict[str, Any], as_json: bool) -> dict[str, Any]:
    """What the sentry answers; exit code 1, with its reason, unless it was done."""
    row = api.command(node, command, args, WAIT_S)
    if as_json:
        print(json.dumps(row))
    if row["status"] == "done":
        return row.get("result") or {}
    if not as_json:
        told: dict[str, Any] = row.get("result") or {}
        why = " ".join(str(told[each]) for each in ("field", "problem") if each in told)
        console.print(f"{escape(node)}: {row['status']} {escape(row.get('code') or '')} {escape(why)}".rstrip())
    raise typer.Exit(1)
