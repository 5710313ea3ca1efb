"""`farmhand node update`: the options, and what a person sees."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from commander import show, software
from commander.api import Api, ApiError
from commander.options import HERE, ApiKey, AsJson, State, Url
from commander.software import State as Reached


def update(
    nodes: Annotated[list[str], typer.Argument(help="ids of the nodes, in the order in which they are updated")],
    source: Annotated[
        Path | None, typer.Option("--from", help="folder of built files; default: built from what is installed here")
    ] = None,
    version: Annotated[
        str, typer.Option(help="name of this version; default: farmhand's and a mark of the files")
    ] = "",
    all_at_once: Annotated[bool, typer.Option("--all-at-once", help="not one node after the other")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="ask all nodes and do not wait for any")] = False,
    timeout: Annotated[int, typer.Option(min=1, help="seconds that a node may take")] = 600,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Give MicroPython nodes new software, one after the other; the first that fails ends it, with exit code 1."""
    api = Api(state, url, key)
    nodes = list(dict.fromkeys(nodes))
    software.check_kind(api, nodes)
    with show.console.status("building", spinner="line") as status:
        files = software.read(source) if source else software.build()
        document = software.publish(api, files, version, lambda text: status.update(f"storing {text}"))
    if not as_json:
        show.console.print(f"version {document['version']}: {len(files)} files, {sum(map(len, files.values()))} bytes")
    rounds = [nodes] if all_at_once or no_wait else [[node] for node in nodes]
    done: dict[str, Reached] = {}
    with _Shown(as_json, nodes) as shown:
        for these in rounds:
            revisions = {node: software.ask(api, node, document) for node in these}
            if no_wait:
                done |= dict.fromkeys(revisions, Reached("waiting"))
                continue
            for node in revisions:
                shown.changed(node, Reached("waiting"))
            done |= software.follow(api, revisions, timeout, shown.changed)
            if any(each.word != "applied" for each in done.values()):
                break
    _finish(document, nodes, done, as_json, no_wait)


def _finish(document: Any, nodes: list[str], done: dict[str, Reached], as_json: bool, no_wait: bool) -> None:
    left = [node for node in nodes if node not in done]
    if as_json:
        rows = [{"node": node, "status": each.word, "error": each.text} for node, each in done.items()]
        print(json.dumps({**document, "nodes": rows, "left": left}))
    failed = [f"{node}: {each.word}: {each.text}".rstrip(": ") for node, each in done.items() if each.word != "applied"]
    if failed and not no_wait:
        rest = f"; left as they are: {', '.join(left)}" if left else ""
        raise ApiError("; ".join(failed) + rest)


class _Shown:
    """A bar for each node that has begun."""

    def __init__(self, as_json: bool, nodes: list[str]) -> None:
        width = max(map(len, nodes))
        columns = (TextColumn(f"{{task.description:{width}}}"), BarColumn(), TextColumn("{task.fields[word]}"))
        self._progress = Progress(*columns, TimeElapsedColumn(), console=show.console, disable=as_json)
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> "_Shown":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def changed(self, node: str, reached: Reached) -> None:
        if node not in self._bars:
            self._bars[node] = self._progress.add_task(node, total=None, word="")
        # All fetched is not the end of it: the clock beside the bar stops at 100.
        pct = 100 if reached.word == "applied" else reached.pct and min(reached.pct, 99)
        text = f"{show.word(reached.word)} {show.escape(reached.text)}".rstrip()
        bar = self._bars[node]
        self._progress.update(bar, total=None if pct is None else 100, completed=pct or 0, word=text)
        if reached.ended:
            self._progress.stop_task(bar)
