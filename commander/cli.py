"""farmhand up, commander, status, watch, node, token, key, events, alerts, logs, audit, dead-letters. Every command has
--json.
"""

import json
import logging
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from commander import show
from commander.api import Api, ApiError
from commander.grants import grants
from commander.options import HERE, ApiKey, AsJson, Limit, Node, NodeFirst, State, Url
from commander.rig_menu import menu
from commander.update import update

app = typer.Typer(no_args_is_help=True, add_completion=False)
node = typer.Typer(cls=NodeFirst, help="List, show, command, update and delete nodes.", no_args_is_help=True)
token = typer.Typer(help="Make, list and revoke enrolment tokens.", no_args_is_help=True)
key = typer.Typer(help="Make, list and delete API keys.", no_args_is_help=True)
commander = typer.Typer(help="Run the commander alone.", no_args_is_help=True)
for name, part in (("node", node), ("token", token), ("key", key), ("commander", commander)):
    app.add_typer(part, name=name)

LOG_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def _answer(value: Any, as_json: bool, shown: Callable[[Any], object]) -> None:
    if as_json:
        print(json.dumps(value))
    else:
        shown(value)


@app.command()
def up(
    state: State = HERE,
    ports: Annotated[
        str, typer.Option(help="for a new farm: `fixed` (18830, 18831, 8080) or `auto`, any free ones")
    ] = "fixed",
    rig: Annotated[
        int, typer.Option(min=0, max=16, help="so many simulated AVRs on an I2C bus, with a pool to mine for")
    ] = 0,
    rig_master: Annotated[str, typer.Option(help="whose bus they are on: `node` (MicroPython) or `sentry`")] = "node",
    miners: Annotated[int, typer.Option(min=0, max=16, help="so many simulated miners on the sentry")] = 0,
    asics: Annotated[int, typer.Option(min=0, max=200, help="so many simulated ASICs, with a sentry of their own")] = 0,
    boards: Annotated[
        int, typer.Option(min=0, max=64, help="so many virtual FPGA boards, with a sentry of their own")
    ] = 0,
    board_model: Annotated[
        str, typer.Option(help="what is installed on them: `uf2` (firmware of their bootloader) or `micropython`")
    ] = "uf2",
    as_json: AsJson = False,
) -> None:
    """Start a whole farm on this machine: brokers, commander, a sentry, a MicroPython node. Ctrl-C stops it."""
    from commander.up import Simulated, run

    run(state, ports, Simulated(rig, rig_master, miners, asics, boards, board_model), as_json)


# How long a busy thread may keep Python to itself. SQLite gives it up for each row: with the usual 5 ms, the line fell
# 1.5 s behind while HTTP was busy (docs/profile.md).
SWITCH_S = 0.0005


@commander.command("run")
def commander_run(state: State = HERE, as_json: AsJson = False) -> None:
    """Run the commander in the foreground until SIGTERM or Ctrl-C; --json: its log as JSON lines."""
    from commander.http_edge import serve
    from commander.service import Service
    from commander.settings import load

    handler = logging.StreamHandler()
    handler.setFormatter(show.JsonLines() if as_json else logging.Formatter(LOG_FORM))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.setswitchinterval(SWITCH_S)
    service = Service(load(state=state))
    host, _, port = service.http.rpartition(":")
    service.start()
    try:
        serve(service, host, int(port))
    finally:
        service.stop()


@app.command()
def status(state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False) -> None:
    """Show domains, nodes and alerts."""
    api = Api(state, url, key)
    farm = {
        "domains": api.get("/domains")["items"],
        "nodes": api.get("/nodes", limit=1000, units=True)["items"],
        "alerts": api.get("/alerts", limit=1000)["items"],
    }
    _answer(farm, as_json, show.status)


@app.command()
def watch(state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False) -> None:
    """Follow what happens on the farm, line by line, until Ctrl-C."""
    try:
        for kind, data in Api(state, url, key).live():
            if as_json:
                print(json.dumps({"kind": kind, **data}), flush=True)
            else:
                show.live(kind, data)
    except KeyboardInterrupt:
        return


@node.command("list")
def node_list(
    state: State = HERE, url: Url = "", key: ApiKey = "", limit: Limit = 100, as_json: AsJson = False
) -> None:
    """All nodes with presence and latest values."""
    _answer(
        Api(state, url, key).get("/nodes", limit=limit, units=True), as_json, lambda answer: show.nodes(answer["items"])
    )


@node.command("show")
def node_show(node: Node, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False) -> None:
    """All about one node."""
    _answer(Api(state, url, key).get(f"/nodes/{node}"), as_json, show.node)


@node.command("cmd")
def node_cmd(
    node: Node,
    name: Annotated[str, typer.Argument(help="ping, restart, identify, logs, rig")],
    args: Annotated[str, typer.Option("--args", help="arguments as a JSON object")] = "{}",
    timeout: Annotated[int, typer.Option("--timeout", min=1, help="seconds to wait for the answer")] = 30,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Send a signed command and wait for its answer; exit code 1 unless it was done."""
    try:
        given = json.loads(args)
    except ValueError as error:
        raise ApiError(f"args: must be a JSON object: {error}") from None
    row = Api(state, url, key).command(node, name, given, timeout)
    _answer(row, as_json, show.command)
    if row["status"] != "done":
        raise typer.Exit(1)


@node.command("desired")
def node_desired(
    node: Node,
    document: Annotated[str, typer.Argument(help="name of the document, for example settings")],
    data: Annotated[str, typer.Argument(help="the document as JSON")],
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Set a desired document of a node."""
    try:
        given = json.loads(data)
    except ValueError as error:
        raise ApiError(f"data: must be JSON: {error}") from None
    row = Api(state, url, key).put(f"/nodes/{node}/desired/{document}", {"data": given})
    _answer(row, as_json, lambda row: print(f"{node}: {document} is now revision {row['rev']}"))


node.command("grants")(grants)
node.command("menu")(menu)
node.command("update")(update)


@node.command("remove")
def node_remove(node: Node, state: State = HERE, url: Url = "", key: ApiKey = "", as_json: AsJson = False) -> None:
    """Delete a node with its credential; its history stays."""
    _answer(Api(state, url, key).delete(f"/nodes/{node}"), as_json, lambda _: print(f"{node} removed"))


@token.command("create")
def token_create(
    domain: Annotated[str, typer.Argument(help="domain the node will live in")],
    kind: Annotated[str, typer.Argument(help="asic, cpu-gpu, board, worker, esp or gateway")],
    name: Annotated[str, typer.Option(help="id of the node; default: what the node asks for")] = "",
    ttl: Annotated[int, typer.Option(help="seconds it is valid")] = 3600,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make a token: one use, for one node. It is shown this once."""
    wish = {"domain": domain, "kind": kind, "name": name, "ttl_s": ttl}
    _answer(Api(state, url, key).post("/tokens", wish), as_json, show.new_token)


@token.command("list")
def token_list(
    state: State = HERE, url: Url = "", key: ApiKey = "", limit: Limit = 100, as_json: AsJson = False
) -> None:
    """All tokens, without their secrets."""
    _answer(Api(state, url, key).get("/tokens", limit=limit), as_json, lambda answer: show.tokens(answer["items"]))


@token.command("revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(help="id, as `token list` shows it")],
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make a token worthless at once."""
    _answer(Api(state, url, key).delete(f"/tokens/{token_id}"), as_json, lambda _: print(f"{token_id} revoked"))


@key.command("create")
def key_create(
    name: Annotated[str, typer.Argument(help="what it is for")],
    role: Annotated[str, typer.Option(help="reader, operator or admin")] = "reader",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Make an API key. It is shown this once."""
    answer = Api(state, url, key).post("/keys", {"name": name, "role": role})
    _answer(answer, as_json, lambda answer: print(answer["key"]))


@key.command("list")
def key_list(state: State = HERE, url: Url = "", key: ApiKey = "", limit: Limit = 100, as_json: AsJson = False) -> None:
    """All API keys, without the keys themselves."""
    _answer(Api(state, url, key).get("/keys", limit=limit), as_json, lambda answer: show.keys(answer["items"]))


@key.command("delete")
def key_delete(
    key_id: Annotated[str, typer.Argument(help="id, as `key list` shows it")],
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Forget an API key."""
    _answer(Api(state, url, key).delete(f"/keys/{key_id}"), as_json, lambda _: print(f"{key_id} deleted"))


@app.command()
def events(
    node: Annotated[str, typer.Option(help="of this node only")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """What happened in the last 24 hours, newest first."""
    _answer(Api(state, url, key).get("/events", node=node, limit=limit), as_json, lambda a: show.events(a["items"]))


@app.command()
def alerts(state: State = HERE, url: Url = "", key: ApiKey = "", limit: Limit = 100, as_json: AsJson = False) -> None:
    """Alerts that stand."""
    _answer(Api(state, url, key).get("/alerts", limit=limit), as_json, lambda a: show.alerts(a["items"]))


@app.command()
def logs(
    node: Annotated[str, typer.Option(help="of this node only")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Log lines of nodes, newest first."""
    _answer(Api(state, url, key).get("/logs", node=node, limit=limit), as_json, lambda a: show.logs(a["items"]))


@app.command()
def audit(state: State = HERE, url: Url = "", key: ApiKey = "", limit: Limit = 50, as_json: AsJson = False) -> None:
    """Who changed what in the last 24 hours, newest first."""
    _answer(Api(state, url, key).get("/audit", limit=limit), as_json, lambda answer: show.audit(answer["items"]))


@app.command("dead-letters")
def dead_letters(
    sender: Annotated[str, typer.Option(help="of this node only")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Refused messages and why, newest first."""
    _answer(Api(state, url, key).get("/dead-letters", sender=sender, limit=limit), as_json, show.dead_letters)
