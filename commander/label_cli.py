"""farmhand label: the groups and tags of nodes that playbooks and trials go by."""

import json
from typing import Annotated

import typer
from rich.markup import escape

from commander.api import Api
from commander.changed import changed
from commander.options import HERE, ApiKey, AsJson, Limit, Node, State, Url
from commander.show import console, new_table

app = typer.Typer(help="Groups and tags of nodes.", no_args_is_help=True)


@app.command("list")
def label_list(
    group: Annotated[str, typer.Option("--group", help="nodes of this group")] = "",
    tag: Annotated[str, typer.Option("--tag", help="nodes with this tag")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """All nodes with their group and tags."""
    answer = Api(state, url, key).get("/mining/labels", group=group, tag=tag, limit=limit)
    if as_json:
        print(json.dumps(answer))
        return
    table = new_table("Labels", "node", "group", "tags")
    for row in answer["items"]:
        table.add_row(row["node"], row["group"], escape(", ".join(row["tags"])))
    console.print(table if table.row_count else "no nodes")


@app.command("set")
def label_set(
    node: Node,
    group: Annotated[str, typer.Option("--group", help="its group; none unless given")] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="a tag; repeat it")] = None,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Set a node's group and tags, all of them; playbooks that it is now for come to it at once."""
    answer = Api(state, url, key).put(f"/mining/labels/{node}", {"group": group, "tags": tag or []})
    changed(answer, f"{node} labelled", as_json)
