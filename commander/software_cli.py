"""farmhand software: the mining programs that playbooks may name, and their releases."""

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from commander.api import Api
from commander.changed import changed
from commander.options import HERE, ApiKey, AsJson, Canary, Limit, State, Url
from commander.show import console, new_table

app = typer.Typer(help="Mining software and its releases.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="name in the catalog")]
Release = Annotated[str, typer.Argument(help="its version: 6.22.2")]
Platform = Annotated[str, typer.Argument(help="linux-x86_64, linux-aarch64, windows-x86_64, ...")]


@app.command("list")
def software_list(
    state: State = HERE, url: Url = "", key: ApiKey = "", limit: Limit = 100, as_json: AsJson = False
) -> None:
    """All software, and which releases of it are known."""
    answer = Api(state, url, key).get("/mining/software", limit=limit)
    if as_json:
        print(json.dumps(answer))
        return
    table = new_table("Software", "name", "title", "licence", "mines with", "asked by", "releases")
    for row in answer["items"]:
        releases = "\n".join(f"{each['release']} {each['platform']}" for each in row["releases"])
        about = escape(row["title"]), escape(row["licence"]), ", ".join(row["mines"]), row["adapter"]
        table.add_row(row["name"], *about, escape(releases) or "[dim]none: add one[/]")
    console.print(table)


@app.command("show")
def software_show(name: Name, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False) -> None:
    """One software: the template of its arguments, its releases with their checksums."""
    row = Api(state, url, key).get(f"/mining/software/{name}")
    if as_json:
        print(json.dumps(row))
        return
    console.print(f"{escape(row['title'])} ({escape(row['licence'])}), {escape(row['homepage'])}")
    console.print(f"platforms: {', '.join(row['platforms'])}; asked by {row['adapter']}, usual port {row['api_port']}")
    console.print("arguments:")
    for argument in row["arguments"]:
        text = " ".join(argument) + "   (for each URL of the pool)" if isinstance(argument, list) else argument  # pyright: ignore[reportUnknownArgumentType]
        console.print(f"  {escape(text)}", highlight=False)
    table = new_table("Releases", "release", "platform", "from", "SHA-256", "member", "used by")
    for each in row["releases"]:
        source = each.get("url") or each.get("path")
        about = escape(source), each["sha256"], escape(each.get("member", "")), ", ".join(each["used_by"])
        table.add_row(each["release"], each["platform"], *about)
    console.print(table if table.row_count else "no releases: `farmhand software release` adds one")


@app.command("release")
def software_release(
    name: Name,
    release: Release,
    platform: Platform,
    sha256: Annotated[str, typer.Option("--sha256", help="of that file")],
    file_url: Annotated[str, typer.Option("--file-url", help="where the rigs fetch it: https://...")] = "",
    path: Annotated[str, typer.Option("--path", help="or where it lies on the rigs already")] = "",
    archive: Annotated[str, typer.Option("--archive", help="none, tar or zip")] = "none",
    member: Annotated[str, typer.Option("--member", help="the program in the archive")] = "",
    licence: Annotated[str, typer.Option("--licence", help="SPDX name; default: the software's")] = "",
    canary: Canary = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Say which file a release is on a platform. Check the SHA-256 yourself: it decides what is run."""
    given = {"url": file_url, "path": path, "sha256": sha256, "member": member, "licence": licence}
    data = {"archive": archive, **{field: value for field, value in given.items() if value}}
    where = f"/mining/software/{name}/releases/{release}/{platform}"
    changed(Api(state, url, key).put(where, {"data": data, "canary": canary}), f"{name} {release} saved", as_json)


@app.command("add")
def software_add(
    name: Name,
    mines: Annotated[list[str], typer.Option("--mines", help="cpu or gpu; repeat it for both")],
    adapter: Annotated[
        str, typer.Option("--adapter", help="how to ask it; none: its process alone is watched")
    ] = "none",
    api_port: Annotated[int, typer.Option("--api-port", help="where it answers; 0: it does not")] = 0,
    argument: Annotated[list[str] | None, typer.Option("--argument", help="of its template; repeat it")] = None,
    title: Annotated[str, typer.Option("--title", help="for people")] = "",
    licence: Annotated[str, typer.Option("--licence", help="SPDX name")] = "",
    homepage: Annotated[str, typer.Option("--homepage", help="where it comes from")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Add software of your own, or change it."""
    data: dict[str, Any] = {"mines": mines, "adapter": adapter, "api_port": api_port, "arguments": argument or []}
    data |= {"title": title or name, "licence": licence, "homepage": homepage}
    changed(Api(state, url, key).put(f"/mining/software/{name}", {"data": data}), f"{name} saved", as_json)


@app.command("remove")
def software_remove(
    name: Name,
    release: Annotated[str, typer.Option("--release", help="remove this release only")] = "",
    platform: Annotated[str, typer.Option("--platform", help="of this platform")] = "linux-x86_64",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Remove software of your own, or one release, that no playbook uses."""
    where = f"/mining/software/{name}" + (f"/releases/{release}/{platform}" if release else "")
    changed(Api(state, url, key).delete(where), f"{name} {release}".strip() + " removed", as_json)
