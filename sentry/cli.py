"""farmhand sentry enrol | run | emit | status"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from schema.fleet import NODE_KINDS
from sentry.home import Home, find, host_id
from sentry.settings import load

app = typer.Typer(no_args_is_help=True, help="The agent on a Linux host.")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
State = Annotated[
    Path | None,
    typer.Option(help="State folder.", envvar="FARMHAND_SENTRY_STATE", show_default=False),
]


@app.command()
def enrol(
    broker: Annotated[str, typer.Argument(help="mqtt://host:port or mqtts://host:port")],
    token: Annotated[str, typer.Argument(help="Works once. `-`: read it from stdin.")],
    *,
    name: Annotated[str, typer.Option(help="Node id wished for.")] = "",
    kind: Annotated[str, typer.Option(help=f"One of: {', '.join(NODE_KINDS)}.")] = "cpu-gpu",
    root: Annotated[str, typer.Option(help="First level of the farm's topics.")] = "farm",
    state: State = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the commander.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Redeem a token: this host becomes a node of the farm."""
    from sentry.enrol import Wish
    from sentry.enrol import enrol as redeem

    if token == "-":  # an argument can be seen by every user of this host
        token = sys.stdin.readline()
    home = Home(state or Path(".farm/sentry") / (name or host_id()))
    wish = Wish(broker, token, kind, name, root)
    credential = redeem(home, wish, timeout)
    answer = {"node": credential.node, "domain": credential.domain, "state": str(home.path)}
    text = f"enrolled as {credential.node} in {credential.domain}; state in {home.path}"
    typer.echo(json.dumps(answer) if as_json else text)


@app.command()
def run(state: State = None, as_json: AsJson = False) -> None:
    """Run the sentry until SIGTERM or Ctrl-C; --json: its log as JSON lines."""
    from sentry.agent import Agent
    from sentry.host_os import system
    from sentry.logs import start_logging

    start_logging(as_json)
    home, settings = find(state), load()
    home.credential()
    lock = home.lock()
    again = Agent(home, settings).run()
    os.close(lock)
    if again:
        system.begin_again()


@app.command()
def emit(
    count: Annotated[int, typer.Option(min=1, help="How many events.")] = 1,
    rate: Annotated[float, typer.Option(min=0, help="Events per second; 0: all at once.")] = 0,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Put test events into the outbox of a sentry, running or not."""
    from sentry.emit import emit as put

    last = put(find(state), load(), count, rate)
    answer = {"events": count, "last_seq": last}
    typer.echo(json.dumps(answer) if as_json else f"{count} events, the last is seq {last}")


@app.command()
def status(
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """What the sentry has stored, sent and queued."""
    from sentry.birth import now_ms

    home = find(state)
    credential = home.credential()
    outbox = home.outbox(credential, load(), now_ms)
    figures = outbox.figures()
    outbox.close()
    told, running = home.read("status.json") or {}, home.running()
    answer = {
        "node": credential.node,
        "domain": credential.domain,
        "running": running,
        "connected": running and bool(told.get("connected")),
        "stream": figures.stream,
        "next_seq": figures.next_seq,
        "mark": figures.mark,
        "queued": figures.rows,
        "dropped": figures.dropped,
    }
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        for key, value in answer.items():
            typer.echo(f"{key:>10}  {value}")
