"""farmhand rollout: changes on their way to the nodes."""

import json
from typing import Annotated

import typer
from rich.markup import escape

from commander.api import Api
from commander.changed import changed, counts
from commander.options import HERE, ApiKey, AsJson, Limit, State, Url
from commander.show import Item, ago, console, new_table, when, word

app = typer.Typer(help="Changes on their way to the nodes.", no_args_is_help=True)
Rollout = Annotated[str, typer.Argument(help="its id: r-...")]


@app.command("list")
def rollout_list(
    only: Annotated[str, typer.Option("--only", help="running, waiting, done, failed or cancelled")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """All rollouts, newest first."""
    answer = Api(state, url, key).get("/mining/rollouts", state=only, limit=limit)
    if as_json:
        print(json.dumps(answer))
        return
    table = new_table("Rollouts", "id", "begun", "state", "why", "by", "canary", "nodes")
    table.columns[0].no_wrap = True  # to be copied
    for row in answer["items"]:
        about = escape(row["why"]), escape(row["by"]), row["canary"]
        table.add_row(row["id"], ago(row["created"]), word(row["state"]), *about, counts(row))
    console.print(table if table.row_count else "no rollouts")


@app.command("show")
def rollout_show(
    rollout: Rollout, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False
) -> None:
    """One rollout with its nodes, those with a problem first."""
    row = Api(state, url, key).get(f"/mining/rollouts/{rollout}")
    if as_json:
        print(json.dumps(row))
        return
    console.print(f"{row['id']}: {word(row['state'])}, {counts(row)}; {escape(row['why'])}, by {escape(row['by'])}")
    if row["trial"]:
        ways = "`cancel`, or for something better" if row["state"] == "failed" else "`continue` or `cancel`"
        console.print(f"on trial in the group {row['canary']}; the held nodes wait for {ways}")
    table = new_table("Nodes", "node", "state", "revision", "changed", "says")
    for node in row["nodes"]:
        step: Item = node["step"] or {}
        miners: dict[str, Item] = step.get("miners") or {}
        says = node["error"] or ", ".join(f"{name} {miner.get('state', '')}" for name, miner in miners.items())
        table.add_row(node["node"], word(node["state"]), str(node["rev"] or ""), when(node["updated"]), escape(says))
    console.print(table)


@app.command("continue")
def rollout_continue(
    rollout: Rollout, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Let the nodes go that it holds back; needs an admin's key when pools, addresses or coins changed."""
    changed(Api(state, url, key).post(f"/mining/rollouts/{rollout}/continue", {}), f"{rollout} continued", as_json)


@app.command("cancel")
def rollout_cancel(
    rollout: Rollout, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Put back what it changed; its canary nodes get what they had."""
    changed(Api(state, url, key).post(f"/mining/rollouts/{rollout}/cancel", {}), f"{rollout} cancelled", as_json)
