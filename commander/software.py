"""New software for MicroPython nodes: files -> blobs and a manifest -> the desired document `software` of each node.

The node pulls what differs, starts into it, and reports `applied`, or `failed` after it has gone back to what it had.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from commander.api import Api, ApiError, NoAnswer

DOCUMENT = "software"
SUFFIXES = (".mpy", ".py")  # a folder may also hold config.json and credentials, which are nobody's business
NOT_SENT = ("main.py", "slots.mpy", "boot.py")  # what starts the node stays, so that it can go back
ASK_S = 0.5
UPLOADS = 8


class State(NamedTuple):
    """What became of one node's update. `word`: waiting, pending, applied, failed, refused, or overtaken by another
    update; `pct` when the node says how far it is.
    """

    word: str
    pct: int | None = None
    text: str = ""

    @property
    def ended(self) -> bool:
        return self.word not in ("waiting", "pending")


def build() -> dict[str, bytes]:
    """The node's files, compiled from the source that is installed here; ApiError says what is missing."""
    umqtt = os.environ.get("FARMHAND_UMQTT", ".local/micropython")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "esp_node.build", folder, umqtt]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ApiError((done.stderr or done.stdout).strip() or "the build of the node failed without a word")
        return read(Path(folder))


def read(folder: Path) -> dict[str, bytes]:
    """The built files of a folder, as path -> bytes."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    files = {
        name: path.read_bytes()
        for name, path in found.items()
        if path.suffix in SUFFIXES and name not in NOT_SENT and not any(part[0] == "." for part in name.split("/"))
    }
    if not any(name.startswith("esp_node/") for name in files):
        raise ApiError(f"{folder}: has no esp_node/ with .mpy or .py files in it; `python -m esp_node.build` makes one")
    return files


def publish(api: Api, files: dict[str, bytes], version: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Upload files and manifest; returns the desired document. `version`: empty for that of farmhand and the files."""
    names = {name: [sha256(data).hexdigest(), len(data)] for name, data in files.items()}
    if not version:
        mark = sha256(json.dumps(names, sort_keys=True).encode()).hexdigest()[:8]
        version = f"{metadata.version('farmhand')}-{mark}"

    def upload(name: str) -> dict[str, Any]:
        return api.upload("/blobs", files[name], name=name)

    with ThreadPoolExecutor(UPLOADS) as pool:  # the commander stores what comes together in one transaction
        for blob in pool.map(upload, files):
            say(f"{blob['name']}, {blob['size']} bytes")
    manifest = json.dumps({"version": version, "files": names}, sort_keys=True, separators=(",", ":")).encode()
    blob = api.upload("/blobs", manifest, name=f"manifest of {version}")
    return {"version": version, "manifest": blob["sha256"], "size": blob["size"]}


def check_kind(api: Api, nodes: Iterable[str]) -> None:
    """ApiError unless all of these are MicroPython nodes."""
    for node in nodes:
        kind = api.get(f"/nodes/{node}")["kind"]
        if kind != "esp":
            raise ApiError(f"node: {node} is of the kind {kind}; this software is for the kind esp")


def ask(api: Api, node: str, document: dict[str, Any]) -> int:
    """Desire the document of a node; returns the revision to wait for. What the node failed at before it shall try
    again.
    """
    shown = api.get(f"/nodes/{node}")
    again = _document(shown["reported"])["status"] in ("failed", "refused")
    return api.put(f"/nodes/{node}/desired/{DOCUMENT}", {"data": document, "again": again})["rev"]


def state(api: Api, node: str, revision: int) -> State:
    """How far a node is with that revision."""
    try:
        shown = api.get(f"/nodes/{node}")
    except NoAnswer:
        return State("waiting", text="the commander does not answer")  # the node goes on, and it may come back
    if _document(shown["desired"])["rev"] != revision:
        return State("overtaken", text="another update was asked for meanwhile")
    reported = _document(shown["reported"])
    if reported["rev"] < revision:
        presence = shown["presence"]
        return State("waiting", text="" if presence == "ready" else f"the node is {presence}")
    return State(reported["status"], _pct(reported["data"]), reported["error"])


def follow(
    api: Api, revisions: dict[str, int], seconds: float, changed: Callable[[str, State], None]
) -> dict[str, State]:
    """Wait until each node has ended its update, or the time is up (`timeout`); `changed` is told each new state."""
    ends = time.monotonic() + seconds
    states = dict.fromkeys(revisions, State("waiting"))
    while not all(each.ended for each in states.values()):
        is_late = time.monotonic() > ends
        for node in [node for node, each in states.items() if not each.ended]:
            new = state(api, node, revisions[node])
            if is_late and not new.ended:
                new = State("timeout", text=f"not done within {seconds:.0f} s: {new.text or new.word}")
            if new != states[node]:
                states[node] = new
                changed(node, new)
        if not is_late and not all(each.ended for each in states.values()):
            time.sleep(ASK_S)
    return states


def _document(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return next((row for row in rows if row["doc"] == DOCUMENT), {"rev": 0, "status": ""})


def _pct(told: Any) -> int | None:
    try:
        return min(100, max(0, int(told["pct"])))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None  # a node may report what it likes
