"""farmhand notify: where alerts are told."""

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from commander.api import Api, ApiError
from commander.options import HERE, ApiKey, AsJson, State, Url
from commander.show import ago, console, new_table

app = typer.Typer(help="Tell alerts by webhook, ntfy, e-mail or MQTT.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="of the output")]


@app.command("list")
def notifier_list(state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False) -> None:
    """All outputs, and how they do."""
    answer = Api(state, url, key).get("/notifiers", limit=1000)
    if as_json:
        print(json.dumps(answer))
        return
    shown = new_table("Notifications", "name", "kind", "tells", "where", "sent", "problem")
    for row in answer["items"]:
        where = ", ".join(f"{name} {value}" for name, value in row["data"].items() if value not in ("", []))
        tells = f"{row['severity']} and worse after {row['after_s']} s"
        sent = f"{row['sent']}, {ago(row['sent_at'])}" if row["sent"] else "none yet"
        problem = f"[red]{escape(row['problem'])}[/] ({row['failed']} times)" if row["failed"] else ""
        shown.add_row(escape(row["name"]), row["kind"], tells, escape(where), sent, problem)
    console.print(shown if shown.row_count else "nothing is told anywhere; farmhand notify set NAME KIND key=value ...")


@app.command("set")
def notifier_set(
    name: Name,
    kind: Annotated[str, typer.Argument(help="webhook, ntfy, email or mqtt")],
    settings: Annotated[
        list[str] | None, typer.Argument(help="of the kind, each `key=value`; lists with commas: to=a@b.c,d@e.f")
    ] = None,
    severity: Annotated[str, typer.Option(help="the least that is told: info, warning, error or critical")] = "warning",
    after: Annotated[int, typer.Option(help="s that an alert must stand before it is told")] = 10,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
) -> None:
    """Make or change an output (needs an admin's key)."""
    data: dict[str, Any] = {}
    for each in settings or []:
        field, equals, value = each.partition("=")
        if not equals:
            raise ApiError(f"{each}: must be key=value")
        data[field] = value.split(",") if field == "to" else value
    body = {"kind": kind, "data": data, "severity": severity, "after_s": after}
    Api(state, url, key).put(f"/notifiers/{name}", body)
    console.print(f"{escape(name)} is told of {severity} and worse; to try it: farmhand notify test {escape(name)}")


@app.command("test")
def notifier_test(name: Name, state: State = HERE, url: Url = "", key: ApiKey = "") -> None:
    """Send an example there now."""
    Api(state, url, key).post(f"/notifiers/{name}/test", {})
    console.print(f"{escape(name)} took it")


@app.command("remove")
def notifier_remove(name: Name, state: State = HERE, url: Url = "", key: ApiKey = "") -> None:
    """Tell nothing there any more."""
    Api(state, url, key).delete(f"/notifiers/{name}")
    console.print(f"{escape(name)} is removed")
