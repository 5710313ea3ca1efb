"""farmhand playbook: what shall be mined where."""

import json
import shlex
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from commander.api import Api, ApiError
from commander.changed import changed
from commander.options import HERE, ApiKey, AsJson, Canary, Limit, State, Url
from commander.show import Item, console, new_table, when

app = typer.Typer(help="Playbooks: what shall be mined where.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="its name, which is that of its miners")]


@app.command("list")
def playbook_list(
    node: Annotated[str, typer.Option("--node", help="those of this node")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """All playbooks, and the nodes they are for."""
    answer = Api(state, url, key).get("/mining/playbooks", node=node, limit=limit)
    if as_json:
        print(json.dumps(answer))
        return
    table = new_table("Playbooks", "name", "version", "software", "mines", "nodes", "changed")
    for row in answer["items"]:
        data = row["data"]
        mines = "\n".join(f"{each['address']} at {each.get('pool', 'no pool')}" for each in data["mine"])
        held = f" ({len(row['held'])} held)" if row["held"] else ""
        about = f"{data['software']} {data['release']}", f"{data['kind']}: {mines}", f"{len(row['nodes'])}{held}"
        table.add_row(row["name"], str(row["version"]), *map(escape, about), when(row["updated"]))
    console.print(table if table.row_count else "no playbooks")


@app.command("show")
def playbook_show(name: Name, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False) -> None:
    """One playbook; its `data` can be saved again."""
    row = Api(state, url, key).get(f"/mining/playbooks/{name}")
    if as_json:
        print(json.dumps(row))
        return
    console.print(f"{row['name']}, version {row['version']} of {when(row['updated'])} by {escape(row['by'])}")
    console.print(f"for {escape(', '.join(row['nodes'])) or 'no node'}")
    console.print_json(data=row["data"])


@app.command("save")
def playbook_save(
    name: Name,
    file: Annotated[Path, typer.Argument(help="TOML or JSON: see docs/playbooks.md")],
    preview: Annotated[bool, typer.Option("--preview", help="only show what each node would get")] = False,
    note: Annotated[str, typer.Option("--note", help="why, for people")] = "",
    if_version: Annotated[
        int, typer.Option("--if-version", help="refuse unless this is the present version; -1: any")
    ] = -1,
    canary: Canary = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make or change a playbook. With --preview nothing is saved; exit code 1 when some node could not have it."""
    api, data = Api(state, url, key), _read(file)
    if preview:
        answer = api.post("/mining/playbooks/preview", {"name": name, "data": data})
        print(json.dumps(answer)) if as_json else _show_preview(answer)
        if any(node["problems"] for node in answer["nodes"]):
            raise typer.Exit(1)
        return
    wish = {"data": data, "note": note, "canary": canary, "if_version": None if if_version < 0 else if_version}
    answer = api.put(f"/mining/playbooks/{name}", wish)
    changed(answer, f"playbook {name} is version {answer['playbook']['version']}", as_json)


@app.command("versions")
def playbook_versions(
    name: Name, state: State = HERE, url: Url = "", key: ApiKey = "", limit: Limit = 100, as_json: AsJson = False
) -> None:
    """Every version that ever was, newest first."""
    answer = Api(state, url, key).get(f"/mining/playbooks/{name}/versions", limit=limit)
    if as_json:
        print(json.dumps(answer))
        return
    table = new_table(f"Versions of {name}", "version", "made", "by", "note")
    for row in answer["items"]:
        table.add_row(str(row["version"]), when(row["created"]), escape(row["by"]), escape(row["note"]))
    console.print(table if table.row_count else f"there is no playbook {name}")


@app.command("diff")
def playbook_diff(
    name: Name,
    before: Annotated[int, typer.Argument(help="a version")],
    after: Annotated[int, typer.Argument(help="another one")],
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """What differs between two versions."""
    answer = Api(state, url, key).get(f"/mining/playbooks/{name}/diff", before=before, after=after)
    if as_json:
        print(json.dumps(answer))
        return
    table = new_table(f"{name}, {before} to {after}", "field", "before", "after")
    for each in answer["changes"]:
        table.add_row(each["field"], *(escape(json.dumps(each[side], indent=1)) for side in ("before", "after")))
    console.print(table if table.row_count else "nothing differs")


@app.command("restore")
def playbook_restore(
    name: Name,
    version: Annotated[int, typer.Argument(help="which becomes the newest")],
    canary: Canary = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make an older version the newest."""
    answer = Api(state, url, key).post(f"/mining/playbooks/{name}/restore", {"version": version, "canary": canary})
    changed(answer, f"playbook {name} is version {answer['playbook']['version']}", as_json)


@app.command("remove")
def playbook_remove(
    name: Name, canary: Canary = "", state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Take its miners off the nodes; the versions stay."""
    where = f"/mining/playbooks/{name}" + (f"?canary={canary}" if canary else "")
    changed(Api(state, url, key).delete(where), f"playbook {name} removed", as_json)


def _read(file: Path) -> Any:
    try:
        text = file.read_text("utf-8")
        return json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ApiError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise ApiError(f"{file}: {error}") from None


def _show_preview(answer: Item) -> None:
    for node in answer["nodes"]:
        held = f" [yellow](held back by rollout {escape(node['held_by'])})[/]" if node["held_by"] else ""
        others = f", beside {escape(', '.join(node['others']))}" if node["others"] else ""
        same = "" if node["differs"] else " [dim](as it is)[/]"
        console.print(f"[bold]{escape(node['node'])}[/]{others}{same}{held}")
        for problem in node["problems"]:
            text = f"{problem['playbook']}: {problem['field']}: {problem['problem']}"
            console.print(f"  [red]{escape(text)}[/]", highlight=False)
        if miner := node["miner"]:
            for name, value in sorted(miner.get("env", {}).items()):
                console.print(f"  {escape(name)}={escape(value)}", highlight=False, soft_wrap=True)
            line = shlex.join([miner["software"], *miner["args"]])
            console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
        elif not node["targeted"]:
            console.print("  no longer mines this")
    if not answer["nodes"]:
        console.print("[yellow]no node is meant by it so far[/]")
