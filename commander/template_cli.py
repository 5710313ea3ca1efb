"""farmhand template: coins, pools and addresses that playbooks refer to."""

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from commander.api import Api
from commander.changed import changed
from commander.options import HERE, ApiKey, AsJson, Canary, Limit, State, Url
from commander.show import console, new_table, when

app = typer.Typer(help="Coins, pools and addresses that playbooks refer to.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="its name: small letters, digits, _ and -")]
Kind = Annotated[str, typer.Argument(help="coin, pool or address")]
Coin = Annotated[str, typer.Option("--coin", help="name of the coin's template")]


@app.command()
def coin(
    name: Name,
    algorithm: Annotated[str, typer.Option("--algorithm", help="as the mining software calls it: rx/0")],
    title: Annotated[str, typer.Option("--title", help="for people")] = "",
    canary: Canary = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make or change a coin."""
    data = {"algorithm": algorithm, "title": title}
    _save(Api(state, url, key), "coin", name, data, canary, as_json)


@app.command()
def pool(
    name: Name,
    coin: Coin,
    pool_url: Annotated[
        list[str], typer.Option("--pool-url", help="stratum+ssl://host:port; repeat it, the most wanted first")
    ],
    user: Annotated[str, typer.Option("--user", help="placeholders allowed; default: ADDRESS.WORKER")] = "",
    password: Annotated[str, typer.Option("--password", help="placeholders allowed")] = "x",
    canary: Canary = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make or change a pool."""
    data: dict[str, Any] = {"coin": coin, "urls": pool_url, "password": password, **({"user": user} if user else {})}
    _save(Api(state, url, key), "pool", name, data, canary, as_json)


@app.command()
def address(
    name: Name,
    coin: Coin,
    address: Annotated[str, typer.Option("--address", help="where the coins shall go")],
    canary: Canary = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make or change an address."""
    _save(Api(state, url, key), "address", name, {"coin": coin, "address": address}, canary, as_json)


@app.command("list")
def template_list(
    kind: Annotated[str, typer.Option("--kind", help="coin, pool or address")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """All templates, and what uses them."""
    answer = Api(state, url, key).get("/mining/templates", kind=kind, limit=limit)
    if as_json:
        print(json.dumps(answer))
        return
    table = new_table("Templates", "kind", "name", "coin", "what", "version", "used by")
    for row in answer["items"]:
        data = row["data"]
        what = data.get("algorithm") or data.get("address") or "\n".join(each["url"] for each in data["urls"])
        used = "\n".join(row["used_by"])
        table.add_row(row["kind"], row["name"], data.get("coin", ""), escape(what), str(row["version"]), escape(used))
    console.print(table if table.row_count else "no templates")


@app.command("show")
def template_show(
    kind: Kind, name: Name, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False
) -> None:
    """One template."""
    row = Api(state, url, key).get(f"/mining/templates/{kind}/{name}")
    if as_json:
        print(json.dumps(row))
        return
    console.print(
        f"{row['kind']} {row['name']}, version {row['version']} of {when(row['updated'])} by {escape(row['by'])}"
    )
    console.print_json(data=row["data"])


@app.command("remove")
def template_remove(
    kind: Kind, name: Name, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False
) -> None:
    """Remove a template that nothing uses."""
    changed(Api(state, url, key).delete(f"/mining/templates/{kind}/{name}"), f"{kind} {name} removed", as_json)


def _save(api: Api, kind: str, name: str, data: Any, canary: str, as_json: bool) -> None:
    answer = api.put(f"/mining/templates/{kind}/{name}", {"data": data, "canary": canary})
    changed(answer, f"{kind} {name} saved", as_json)
