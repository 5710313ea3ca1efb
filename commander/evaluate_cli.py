"""farmhand boards evaluate | results"""

import json
import secrets
import shutil
import subprocess
import tempfile
import time
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from commander.api import PATIENCE_S, Api, ApiError, NoAnswer
from commander.evaluate_supply import Supply
from commander.options import HERE, ApiKey, AsJson, LimitUnlessWhole, State, Url
from commander.show import Item, clock, console

LOOK_S = 0.2
READY_S = 120.0
SILENT_S = 300.0  # so long without any result
CALL_S = 130.0  # the sentry fetches the files before it answers
EXTEND_AGAIN_S = 30.0


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="bitstreams: .bin, or .asc when icepack is here")],
    lease: Annotated[str, typer.Option("--lease", help="boards that are reserved already; else some for this")] = "",
    count: Annotated[int, typer.Option("--boards", min=1, help="so many boards, without --lease")] = 1,
    kind: Annotated[str, typer.Option("--kind", help="pulsecount or variance, without --lease")] = "pulsecount",
    spread: Annotated[bool, typer.Option("--spread", help="each bitstream on one board, instead of on all")] = False,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Evaluate bitstreams on boards; results as they come. They are kept: farmhand boards results."""
    contents = [(path, _bitstream(path)) for path in files]
    api = Api(state, url, key)
    wish = {"kind": kind, "count": count, "name": "farmhand boards evaluate"}
    row: Item = api.get(f"/boards/leases/{lease}") if lease else api.post("/boards/leases", wish)
    try:
        api.patience_s = PATIENCE_S
        _wait(api, row, as_json)
        serials = _ready(api, row["id"])
        batch = "b-" + secrets.token_hex(6)
        given: list[Item] = []
        for number, (path, content) in enumerate(contents):
            sha256 = api.upload("/boards/files", content, name=path.name)["sha256"]
            given.append({"name": f"{number}-{path.name}"[:128], "sha256": sha256})
        supply = Supply(given, serials, spread)
        failed = _run(api, row["id"], batch, supply, as_json, extend=not lease)
        if supply.problems and supply.done < len(given) * (1 if spread else len(serials)):
            raise ApiError(_told(supply.problems))
        if failed:
            raise ApiError(f"{batch}: {failed} of {supply.done} evaluations failed")
    finally:
        api.patience_s = 0  # who ends it does not wait for a commander that is away
        if not lease:
            api.post(f"/boards/leases/{row['id']}/end", {})


def results(
    batch: Annotated[str, typer.Option("--batch", help="as `evaluate` said it")] = "",
    lease: Annotated[str, typer.Option("--lease", help="of this lease")] = "",
    serial: Annotated[str, typer.Option("--serial", help="of this board")] = "",
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    limit: LimitUnlessWhole = None,
    as_json: AsJson = False,
) -> None:
    """What evaluations gave, newest first: in the last day, or all of a batch or lease."""
    most = limit or (None if batch or lease else 100)
    wanted = {"batch": batch, "lease": lease, "serial": serial.lower()}
    answer = Api(state, url, key).history("/boards/results", most, **wanted)
    if as_json:
        print(json.dumps(answer))
        return
    for each_batch, rows in groupby(answer["items"], lambda each: each["batch"]):
        console.print(f"[bold]{escape(each_batch)}[/]", highlight=False)
        for each in rows:
            times = [f"{name} {each[f'{name}_ms']} ms" for name in ("gate", "took") if each[f"{name}_ms"] is not None]
            told = f"{each['serial']}  {escape(each['evaluation'])}: {_result(each)}  [dim]{', '.join(times)}[/]"
            console.print(f"  [dim]{clock(each['ts'])}[/] {told}".rstrip(), highlight=False)
    if not answer["items"]:
        print("no results")


def _bitstream(path: Path) -> bytes:
    try:
        if path.suffix != ".asc":
            return path.read_bytes()
        icepack = shutil.which("icepack") or shutil.which(str(Path(".local/bin/icepack").absolute()))
        if icepack is None:
            raise ApiError(f"{path}: to pack it, icepack is needed (Debian: fpga-icestorm); or give the .bin")
        with tempfile.TemporaryDirectory() as folder:
            packed = Path(folder) / "packed.bin"
            done = subprocess.run([icepack, str(path), str(packed)], capture_output=True, text=True, check=False)
            if done.returncode:
                raise ApiError(f"{path}: icepack: {done.stderr.strip()[:300]}")
            return packed.read_bytes()
    except OSError as error:
        raise ApiError(f"{path}: {error.strerror}") from None


def _wait(api: Api, row: Item, as_json: bool) -> None:
    while row["state"] == "waiting":
        if not as_json:
            console.print(f"waiting for boards, place {row['position']} in the queue")
        time.sleep(2)
        row = api.get(f"/boards/leases/{row['id']}")


def _ready(api: Api, lease: str) -> list[str]:
    """Its boards, once all of them can be used."""
    end = time.monotonic() + READY_S
    while True:
        row = api.get(f"/boards/leases/{lease}")
        if row["state"] != "active":
            raise ApiError(f"lease: {lease} is {row['state']}")
        if all(board["state"] == "leased" for board in row["boards"]):
            return [board["serial"] for board in row["boards"]]
        if time.monotonic() > end:
            told = ", ".join(f"{board['serial']} is {board['state']}" for board in row["boards"])
            raise ApiError(f"lease: its boards are not ready after {READY_S:g} s: {told}")
        time.sleep(LOOK_S)


def _feed(api: Api, lease: str, batch: str, supply: Supply) -> None:
    for serials, part in supply.next(time.monotonic()):
        wish = {"method": "evaluate", "args": {"batch": batch}, "files": part, "serials": serials}
        supply.answered(serials, part, _called(api, lease, wish), time.monotonic())


def _called(api: Api, lease: str, wish: Item) -> dict[str, str]:
    """By serial what is wrong."""
    try:
        return api.post(f"/boards/leases/{lease}/call", wish, timeout=CALL_S)["problems"]
    except NoAnswer:
        raise
    except ApiError as error:
        return dict.fromkeys(wish["serials"], error.user_message)


def _told(problems: dict[str, str]) -> str:
    return "; ".join(f"{serial}: {text}" for serial, text in problems.items())


def _run(api: Api, lease: str, batch: str, supply: Supply, as_json: bool, extend: bool) -> int:
    """How many failed."""
    newest = api.get("/boards/history", lease=lease, limit=1)["items"]
    after, told = 0, newest[0]["id"] if newest else 0
    last = time.monotonic()
    failed, is_ending, next_try = 0, False, 0.0
    _feed(api, lease, batch, supply)
    if not supply.expected:
        raise ApiError(_told(supply.problems))
    if not as_json:
        print(f"{batch}: {supply.expected} evaluations")
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("left:"), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=as_json or not console.is_terminal) as progress:
        bar = progress.add_task("", total=supply.expected)
        while supply.done < supply.expected:
            _feed(api, lease, batch, supply)
            events = api.get("/boards/history", lease=lease, after=told, limit=1000)["items"]
            new = api.get("/boards/results", batch=batch, after=after, limit=1000)["items"]
            for row in new:
                after, last = row["id"], time.monotonic()
                if supply.has_result(row["serial"], row["evaluation"]):
                    failed += bool(row["problem"])
                    name = escape(row["evaluation"].partition("-")[2])
                    line = f"{supply.done}/{supply.expected}  {row['serial']}  {name}: {_result(row)}"
                    print(json.dumps(row)) if as_json else console.print(line)
            for event in events:
                told = event["id"]
                if event["what"] == "initialized" and event["data"].get("waiting") == 0:
                    supply.lost(event["serial"])
                elif event["what"] == "ended":
                    supply.gone(event["serial"], event["data"]["why"])
                is_ending |= event["what"] == "ending-soon"
            if extend and is_ending and time.monotonic() >= next_try:
                is_ending, next_try = not _is_extended(api, lease), time.monotonic() + EXTEND_AGAIN_S
            progress.update(bar, completed=supply.done, total=supply.expected)
            if time.monotonic() - last > SILENT_S:
                had = f"{supply.done} of {supply.expected}"
                raise ApiError(f"batch: {batch} gave {had} results, and no more for {SILENT_S:g} s")
            time.sleep(0 if new else LOOK_S)
    return failed


def _is_extended(api: Api, lease: str) -> bool:
    """Not while somebody with fewer boards waits for one of them."""
    try:
        api.post(f"/boards/leases/{lease}/extend", {"unless_wanted": True})
    except NoAnswer:
        raise
    except ApiError:
        return False
    return True


def _result(each: Item) -> str:
    return f"[red]{escape(each['problem'])}[/]" if each["problem"] else f"[bold]{each['value']}[/]"
