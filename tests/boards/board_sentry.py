"""A sentry of kind `board` as the commander sees it: over MQTT, with the documents and commands it gets signed."""

import json
import threading
from collections.abc import Callable
from queue import Empty
from typing import Any

from commander.keys import Keys
from schema import fleet, topics
from schema.boards import BOARD, BOARD_CALL, BOARD_EVENT, CONSOLE, LEASES
from schema.message import check
from schema.trust import unseal
from sentry.boards.console import Console
from tests.commander.api import now_ms
from tests.commander.serving import Serving

KINDS = ["pulsecount", "variance"]
FIRMWARE = {"default": "1", "pulse_count": "1", "variance": "1"}


class BoardSentry:
    """Boards without hardware: one that a lease has is at once what the lease asks for. `works`: it answers commands;
    `refuses`: boards that take no calls, and the word for why; `times`: what its results have as `gate_ms`, `took_ms`.

    `owners` are the leases that each board has had, in the order of the documents; `answer` what a board (serial) makes
    of a file (SHA-256): a number, a problem, or None while it is at it.
    """

    def __init__(self, serving: Serving, name: str, **boards: dict[str, Any]) -> None:
        self.name = name
        self.works = True
        self.refuses: dict[str, str] = {}
        self.times: dict[str, int] = {}
        self.answer: Callable[[str, str], int | str | None] = lambda _, sha256: count_of(sha256)
        self.boards = {
            serial: {"state": "ready", "type": "pico2-ice", "tags": []} | row for serial, row in boards.items()
        }
        self.owners: dict[str, list[str]] = {serial: [] for serial in boards}
        self._given: dict[str, str] = {}
        self.consoles = {serial: Console() for serial in boards}
        secrets = serving.service.secrets["ed25519"]
        self._verify = Keys(secrets["private"], secrets["public"]).verify
        self._client = serving.machine(name, kind="board")
        self._seq = self._rev = 0
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        birth = {"schema": 1, "boot": "b1", "kind": "board", "software": "test", "alive_ms": 600_000, "parts": {}}
        self._say(fleet.INFO, birth)
        self.is_("ready")
        self.report()
        for serial in boards:
            self.event(serial, "plugged")
        self._client.subscribe(
            self._topic(fleet.DESIRED, "leases"), *(self._topic(fleet.CMD, name) for name in ("board", "board-call"))
        )
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def is_(self, word: str) -> None:
        self._client.publish(self._topic(fleet.STATE), word, retain=True)

    def report(self, serial: str = "", **changed: Any) -> None:
        """Say how the boards are, after this change of one of them."""
        with self._lock:
            if serial:
                self.boards[serial] |= changed
            data = {"boards": self.boards, "kinds": KINDS, "firmware": FIRMWARE}
            self._say(fleet.REPORTED, {"rev": self._rev, "status": "applied", "data": data}, "leases", retain=True)

    def heal(self) -> None:
        """Every board is well, and with whoever the last document gave it to."""
        with self._lock:
            for serial, row in self.boards.items():
                lease = self._given.get(serial, "")
                row |= {"lease": lease, "state": "leased" if lease else "ready"}
            self.report()

    def event(self, serial: str, event: str, lease: str = "", **contents: Any) -> None:
        with self._lock:
            self._seq += 1
            data: dict[str, Any] = {"ts": now_ms(), "stream": "s", "seq": self._seq, "event": event}
            data |= {"contents": contents} | ({"lease": lease} if lease else {})
            check(BOARD_EVENT, data)
            self._say(fleet.EVT, data, "board", serial)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(30)

    def _work(self) -> None:
        handlers: dict[str, Callable[[dict[str, Any]], None]] = {"desired": self._on_leases, "cmd": self._on_command}
        while not self._stopping.is_set():
            try:
                topic, payload, _ = self._client.messages.get(timeout=0.1)
            except Empty:
                continue
            channel = topic.split("/")[4]
            message = fleet.DESIRED if channel == "desired" else fleet.CMD
            handlers[channel](unseal(message, topic, payload, self._verify))

    def _on_leases(self, body: dict[str, Any]) -> None:
        check(LEASES, body["data"])
        with self._lock:
            self._rev = body["rev"]
            self._given = {each["serial"]: each["lease"] for each in body["data"]["boards"]}
            begun: list[tuple[str, str]] = []
            for serial, row in self.boards.items():
                lease = self._given.get(serial, "")
                if lease != row.get("lease", "") and row["state"] in ("ready", "leased"):
                    row |= {"lease": lease, "state": "leased" if lease else "ready"}
                    begun += [(serial, lease)] if lease else []
            self.report()
            for serial, lease in begun:
                self.owners[serial].append(lease)
                self.event(serial, "initialized", lease)

    def _on_command(self, body: dict[str, Any]) -> None:
        called = "method" in body["args"]
        check(BOARD_CALL if called else BOARD, body["args"])
        status: dict[str, Any] = {"status": "done"} if self.works else {"status": "refused", "code": "busy"}
        if self.works and body["args"].get("do") == CONSOLE:
            status["result"] = self.consoles[body["args"]["serial"]].part(body["args"]["after"])
        if called and self.works:
            serials: list[str] = body["args"]["serials"]
            codes = {serial: self.refuses[serial] for serial in serials if serial in self.refuses}
            answers = {serial: 1 for serial in serials if serial not in codes}
            problems = {serial: f"{serial} takes no calls" for serial in codes}
            status["result"] = {"answers": answers, "problems": problems, "codes": codes}
            if not answers:
                status = {"status": "refused", "code": codes[serials[0]], "result": {"problem": problems[serials[0]]}}
            body["args"]["serials"] = list(answers)
        self._say(fleet.ACK, {"id": body["id"], **status}, body["id"])
        if called and self.works:
            self._on_call(**body["args"])

    def _on_call(self, serials: list[str], lease: str, args: dict[str, Any], files: list[Any], **_: Any) -> None:
        for file in files:
            for serial in serials:
                found = self.answer(serial, file["sha256"])
                if isinstance(found, int):
                    results = [[file["name"], found]]
                    self.event(serial, "results", lease, batch=args["batch"], results=results, **self.times)
                elif found is not None:
                    failed = {"evaluation": file["name"], "problem": found}
                    self.event(serial, "evaluation-failed", lease, batch=args["batch"], **failed)

    def _topic(self, message: Any, name: str = "", device: str = "self") -> str:
        return topics.build(message, "farm", "house", self.name, device, name)

    def _say(self, message: Any, data: Any, name: str = "", device: str = "self", retain: bool = False) -> None:
        self._client.publish(self._topic(message, name, device), json.dumps(data), retain)


def count_of(sha256: str) -> int:
    return int(sha256[:6], 16)
