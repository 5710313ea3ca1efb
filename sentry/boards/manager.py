"""All boards of this host: plugged and unplugged, given by the document, told by commands, reported."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, cast

from schema.boards import CONSOLE, MOST_BOARDS, MOST_CALLED, MOST_FILES
from schema.message import MAX_PAYLOAD, Invalid
from schema.wire import dumps
from sentry.boards.blobs import Blob, Blobs
from sentry.boards.board import Board
from sentry.boards.console import Console
from sentry.boards.core import Lease
from sentry.boards.faults import BoardFailed, Refused, tellable
from sentry.boards.health import Health
from sentry.boards.offers import method_of, offered
from sentry.boards.settings import BoardSettings
from sentry.boards.usb import Change, Device, Source
from sentry.boards.versions import versions
from sentry.boards.voice import Voice

log = logging.getLogger(__name__)

WATCH_AGAIN_S = 1.0
MOST_ANSWERS = MAX_PAYLOAD * 3 // 4  # of one call; what went wrong is told in the rest of its message


class Manager:
    """``changed`` is set when the report has changed."""

    def __init__(self, settings: BoardSettings, voice: Voice, blobs: Blobs) -> None:
        self._settings, self._voice, self._blobs = settings, voice, blobs
        self._devices: dict[str, Device] = {}
        self._leases: dict[str, Lease] = {}
        self._boards: dict[str, Board] = {}
        self._tasks: dict[Board, asyncio.Task[None]] = {}
        self._pasts: dict[str, tuple[Console, Health]] = {}
        self._closing = False
        self.changed = asyncio.Event()

    async def watch(self, source: Source) -> None:
        """As long as one asks, whatever goes wrong with the source."""
        while True:
            try:
                async for found in source.watch(self._devices):
                    for change in found:
                        self._on_change(change)
            except Exception:
                log.exception("USB devices cannot be watched; again in %g s", WATCH_AGAIN_S)
            await asyncio.sleep(WATCH_AGAIN_S)

    def lease(self, document: Mapping[str, Any]) -> None:
        """Who has which board now; Invalid leaves things as they were."""
        leases: dict[str, Lease] = {}
        for each in document["boards"]:
            if each["serial"] in leases:
                raise Invalid("boards.serial", f"{each['serial']} is there twice")
            leases[each["serial"]] = Lease(each["lease"], each["kind"], _object("boards.args", each.get("args", {})))
        self._leases = leases
        for serial, board in self._boards.items():
            board.give(leases.get(serial))
        self.changed.set()

    def report(self) -> dict[str, Any]:
        boards = {serial: board.report() for serial, board in sorted(self._boards.items())}
        return {"boards": boards, "kinds": offered(self._settings), "firmware": versions(self._settings)}

    # Commands

    async def tell(self, serial: str, do: str, after: int = 0) -> dict[str, Any]:
        """Obey `board`, and answer; Refused says why not, BoardFailed what went wrong."""
        board = self._board(serial)
        if do == CONSOLE:
            return board.console.part(after)
        board.console.note(f"told to {do}")
        match do:
            case "reboot":
                board.reboot()
            case "delete":
                board.health.forget()
                self._tasks[board].cancel()
            case _:
                port = board.device.port if board.device else ""
                if not board.hub.port_of(port):
                    raise Refused(
                        "no-hub", f"{serial} is on no hub that FARMHAND_BOARD_HUB names, or uhubctl is missing"
                    )
                await board.hub.cycle(port)
        return {}

    async def call(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Obey `board-call`: by serial what the method returned, or the problem, with a word for it when the board
        cannot take the call. Refused before anything is done, when none can."""
        names: dict[str, str] = {file["name"]: file["sha256"] for file in args["files"]}
        for field, most in (("serials", MOST_CALLED), ("files", MOST_FILES)):
            if len(args[field]) > most:
                raise Refused("bad-arguments", f"{field}: must be at most {most}")
        if len(names) < len(args["files"]):
            raise Refused("bad-arguments", "files.name: a name is there twice")
        try:
            given = _object("args", args["args"])
        except Invalid as error:
            raise Refused("bad-arguments", str(error)) from None
        refused = [why for serial in args["serials"] if (why := self._refusal(serial, args, given, names))]
        if refused and len(refused) == len(args["serials"]):
            raise refused[0]
        blobs = await asyncio.gather(*map(self._blobs.get, names.values()))
        files: dict[str, Blob] = dict(zip(names, blobs, strict=True))
        answers: dict[str, Any] = {}
        problems: dict[str, str] = {}
        codes: dict[str, str] = {}
        room = MOST_ANSWERS
        for serial in dict.fromkeys(args["serials"]):
            try:
                # Looked up again: while the files came it may have been unplugged, and be another board's life.
                answer = await self._board(serial).call(args["lease"], args["method"], given, files)
                size = len(dumps(answer))
                if size > room:
                    raise BoardFailed(f"answer: has {size} bytes; at most {MOST_ANSWERS} of all boards")
                answers[serial] = answer
                room -= size
            except Refused as error:
                problems[serial], codes[serial] = tellable(error.problem), error.code
            except BoardFailed as error:
                problems[serial] = tellable(error)
            except Exception as error:  # a state of anybody's
                log.exception("board %s: method %s failed", serial, args["method"])
                problems[serial] = tellable(f"{type(error).__name__}: {error}")
        wrong = {"problems": problems, "codes": codes}
        return {"answers": answers, **{name: part for name, part in wrong.items() if part}}

    def _refusal(
        self, serial: str, call: Mapping[str, Any], args: Mapping[str, Any], files: Mapping[str, Any]
    ) -> Refused | None:
        try:
            method_of(self._board(serial), call["lease"], call["method"], args, files)
        except Refused as error:
            return error

    def _board(self, serial: str) -> Board:
        if serial not in self._boards:
            raise Refused("unknown-board", f"serial: there is no board {serial} on this host")
        return self._boards[serial]

    # What is plugged in

    def _on_change(self, change: Change) -> None:
        device, board = change.device, self._boards.get(change.device.serial)
        if change.what == "removed":
            self._devices.pop(device.serial, None)
        else:
            self._devices[device.serial] = device
        if board:
            board.plugged(self._devices.get(device.serial))
        elif change.what != "removed":
            self._voice.event(device.serial, "plugged", {"vendor": device.vendor, "product": device.product})
            self._past(device.serial)[0].note("plugged in")
            self._add(device)

    def _add(self, device: Device, problem: str = "") -> None:
        """``problem``: what ended its life before; it rests first, as after any failure."""
        serial = device.serial
        console, health = self._past(serial)
        if problem:
            self._voice.problem(serial, problem)
            console.note(problem)
            health.on_failed()
        else:
            health.on_plugged()
        lease = self._leases.get(serial)
        board = Board(device, lease, self._settings, self._voice, console, health, self.changed.set, problem)
        self._boards[serial] = board
        task = asyncio.get_running_loop().create_task(board.run())
        self._tasks[board] = task
        task.add_done_callback(lambda task: self._on_ended(board, task))
        self.changed.set()

    def _past(self, serial: str) -> tuple[Console, Health]:
        """The board's, with what is left of before if it was here lately."""
        if serial not in self._pasts:
            gone = [each for each in self._pasts if each not in self._boards]
            if gone and len(self._pasts) >= MOST_BOARDS:
                del self._pasts[gone[0]]
            self._pasts[serial] = Console(), Health(self._settings, self.changed.set)
        return self._pasts[serial]

    def _on_ended(self, board: Board, task: asyncio.Task[None]) -> None:
        """A board that is still plugged in was deleted, and begins anew; or a fault that nobody caught ended it."""
        del self._boards[board.serial], self._tasks[board]
        problem = ""
        if not task.cancelled() and (fault := task.exception()):
            log.error("board %s: given up", board.serial, exc_info=fault)
            problem = f"{type(fault).__name__}: {fault}"
        self.changed.set()
        if self._closing:
            return
        if device := self._devices.get(board.serial):
            self._add(device, problem)
        else:
            board.console.note("unplugged")
            self._voice.event(board.serial, "unplugged", {})

    async def close(self) -> None:
        self._closing = True
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


def _object(field: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(field, "must be an object")
    return cast(dict[str, Any], value)
