"""A sentry of kind `board` in a process of its own, and what a commander does with it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

import paho.mqtt.client as paho

from schema.fleet import BLOB_DATA, BLOB_GET
from schema.wire import decode, encode
from sentry.home import Credential
from tests.boards.small_board import SHORT
from tests.sentry.rig import Peer, Sentry, read
from tests.support.waiting import PATIENCE


class BoardSentry(Sentry):
    """``environment``: besides the settings FARMHAND_BOARD_<NAME> of ``board``."""

    def __init__(self, state: Path, bus: Path, environment: Mapping[str, str], **board: Any) -> None:
        super().__init__(state, hears_marks=False)
        self.board = {**SHORT, "usb": bus, **board}
        self.environment = environment

    def enrolled(self, broker: str, verify: str) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        credential = Credential(broker, "farm", "house", "rig1", "board", "rig1", verify)
        (self.state / "credential.json").write_text(json.dumps(asdict(credential)))

    @property
    def place(self) -> dict[str, Any]:
        place = super().place
        place["env"] |= {f"FARMHAND_BOARD_{name.upper()}": str(value) for name, value in self.board.items()}
        place["env"] |= self.environment
        return place


class Depot:
    """Gives files as the commander does. ``asked``: SHA-256 and offset of each request; ``ignores``: how many of the
    next ones stay unanswered; ``spoils``: how many answers are wrong."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._files: dict[str, bytes] = {}
        self.asked: list[tuple[str, int]] = []
        self.ignores = self.spoils = 0
        peer.client.message_callback_add("farm/house/rig1/self/blob/get", self._on_get)
        peer.client.message_callback_add("farm/house/rig1/self/blob/data", lambda *_: None)  # no text

    def add(self, **contents: bytes) -> list[dict[str, str]]:
        """The files for a `board-call`."""
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        self._files |= {digests[name]: content for name, content in contents.items()}
        return [{"name": name, "sha256": digest} for name, digest in digests.items()]

    def _on_get(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        ask = decode(BLOB_GET, message.payload)
        self.asked.append((ask["sha256"], ask["offset"]))
        if self.ignores:
            self.ignores -= 1
            return
        content = self._files.get(ask["sha256"], b"")
        data = content[ask["offset"] :][: ask["size"]]
        if self.spoils:
            self.spoils -= 1
            data = bytes(len(data))
        answer = {"sha256": ask["sha256"], "offset": ask["offset"], "total": len(content), "data": data}
        client.publish("farm/house/rig1/self/blob/data", encode(BLOB_DATA, answer, binary=True), 1)


class Told:
    """What a commander hears of boards, in order of arrival."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._heard: list[tuple[str, Any]] = []
        self._numbers = set[tuple[str, int]]()

    def expect(self, rest: str, fits: Callable[[Any], Any] = lambda _: True) -> Any:
        """The first message, also of those heard before, whose topic ends so and that fits; it is taken out."""
        end = monotonic() + PATIENCE
        at = 0
        while True:
            for place in range(at, len(self._heard)):
                topic, data = self._heard[place]
                if topic.endswith(rest) and fits(data):
                    del self._heard[place]
                    return data
            at = len(self._heard)
            try:
                message = self._peer.heard.get(timeout=max(0.01, end - monotonic()))
            except Empty:
                raise AssertionError(f"no {rest}; heard {[each for each in self._heard if each[1]][-30:]}") from None
            self._take(message)

    def event(self, serial: str, name: str, **contents: Any) -> Any:
        """An event of that board in whose contents these stand."""
        return self.expect(
            f"/{serial}/evt/board", lambda each: each["event"] == name and contents.items() <= each["contents"].items()
        )

    def _take(self, message: paho.MQTTMessage) -> None:
        """Once: an outbox whose events nobody stores sends them again."""
        data = read(message)
        number = (data["stream"], data["seq"]) if isinstance(data, dict) and "seq" in data else None
        if number is None or number not in self._numbers:
            self._heard.append((message.topic, data))
        if number:
            self._numbers.add(number)

    def forget(self) -> None:
        while not self._peer.heard.empty():
            self._take(self._peer.heard.get_nowait())
        self._heard.clear()

    def report(self, rev: int, **states: str) -> Any:
        """The report on that revision in which these boards are so."""

        def fits(told: Any) -> bool:
            if not told or told["rev"] != rev or "data" not in told:
                return False
            boards = told["data"]["boards"]
            return all(boards.get(serial, {}).get("state") == state for serial, state in states.items())

        return self.expect("self/reported/leases", fits)

    def lease(self, rev: int, *boards: dict[str, Any]) -> None:
        body = {"rev": rev, "epoch": 1, "data": {"boards": list(boards)}}
        self._peer.publish(*self._peer.sealed("desired", "leases", body), retain=True)

    def call(self, id_: str, lease: str, method: str, files: list[dict[str, str]], *serials: str, **args: Any) -> Any:
        """How a `board-call` ended."""
        call = {"serials": list(serials), "lease": lease, "method": method, "args": args, "files": files}
        return self.command("board-call", id_, call)

    def command(self, name: str, id_: str, args: dict[str, Any]) -> Any:
        self._peer.publish(*self._peer.command(name, id_, args=args))
        return self.expect(f"ack/{id_}", lambda ack: ack["status"] in ("done", "failed", "refused"))
