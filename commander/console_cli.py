"""farmhand boards console"""

import json
import time
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.markup import escape

from commander.api import Api
from commander.options import HERE, ApiKey, AsJson, State, Url
from commander.show import Item, when
from commander.show import console as screen

LOOK_S = 0.5
MARKS = {"board": "<", "sentry": ">", "note": "-"}


def console(
    serial: Annotated[str, typer.Argument(help="of the board")],
    follow: Annotated[bool, typer.Option("--follow", help="go on with what comes, until Ctrl-C")] = False,
    replay: Annotated[bool, typer.Option("--replay", help="in the pace in which it came")] = False,
    speed: Annotated[float, typer.Option("--speed", min=0.01, help="of the replay: 2 is twice as fast")] = 1,
    pause: Annotated[float, typer.Option("--pause", min=0, help="longest pause of the replay, in seconds")] = 3,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """What a board said (<), what it was sent (>), and what happened to it (-): the newest 500 lines."""
    lines = _lines(Api(state, url, key), serial.lower(), follow)
    try:
        for wait, line in paced(lines, speed, pause) if replay else ((0.0, line) for line in lines):
            time.sleep(wait)
            _show(line, as_json)
    except KeyboardInterrupt:
        return


def paced(lines: Iterator[Item], speed: float, longest_s: float) -> Iterator[tuple[float, Item]]:
    """Each line with the seconds to wait before it."""
    before: int | None = None
    for line in lines:
        yield min(longest_s, max(0, line["ts"] - (before or line["ts"])) / 1000 / speed), line
        before = line["ts"]


def _lines(api: Api, serial: str, follow: bool) -> Iterator[Item]:
    after = 0
    while True:
        answer = api.get(f"/boards/{serial}/console", after=after)
        yield from answer["lines"]
        after = answer["lines"][-1]["n"] if answer["lines"] else after
        if not answer["more"]:
            if not follow:
                return
            time.sleep(LOOK_S)


def _show(line: Item, as_json: bool) -> None:
    if as_json:
        print(json.dumps(line), flush=True)
        return
    text = escape(line["text"])
    shown = text if line["from"] == "board" else f"[dim]{text}[/]"
    at = f"{when(line['ts'])}.{line['ts'] % 1000:03}"
    screen.print(f"[dim]{at} {MARKS[line['from']]}[/] {shown}", highlight=False, soft_wrap=True)
