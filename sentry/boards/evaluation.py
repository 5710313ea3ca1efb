"""What the states that evaluate bitstreams share: a queue of them, one after the other to the board, results as they
come. What a board must not get is refused before it; what it does not answer is told, and the rest goes on.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from zlib import crc32

from schema.boards import BITSTREAM_BYTES
from schema.message import Invalid
from sentry.boards.bitstream import check_bitstream
from sentry.boards.blobs import Blob
from sentry.boards.core import State, register
from sentry.boards.faults import BoardFailed, NoAnswer, Refused
from sentry.boards.tty import Tty

if TYPE_CHECKING:
    from sentry.boards.board import Board

WAITING = "Waiting for bitstream transfer"
WATCHDOG = re.compile(r"Watchdog timeout, (\d+) bytes received")
CRC = re.compile(r", crc ([0-9a-f]{8})$")
"""What some firmware says after its answer, of the bytes that it took for a bitstream."""
CANNOT = re.compile(r"cannot evaluate: (.+)")
"""A virtual board's word on a bitstream that has no true answer there; it takes the next one after that."""
OF_BOARD = "board"
"""The cause of a failure that says nothing of the bitstream: another board may evaluate it."""
TRANSFERS = 2  # of a bitstream that did not arrive as it was sent
UNPLUGGED_S = 1.0  # within that it is known that a board was unplugged
EMPTY_S = 3.0  # within that a firmware's watchdog has thrown away what it has of no bitstream


@dataclass(frozen=True, slots=True)
class Evaluation:
    batch: str
    name: str
    file: Blob


class Evaluating(State):
    """``answer``: the firmware's whole line with the result, its first group (a part of one may be a wrong number); a
    group `gate` holds the gate time in ms."""

    answer: ClassVar[re.Pattern[str]]
    value: ClassVar[Callable[[str], int | float]]

    def __init__(self, board: "Board") -> None:
        super().__init__(board)
        self.waiting: deque[Evaluation] = deque()
        """Not answered yet; the first is on the board."""
        self._more = asyncio.Event()
        self._tty: Tty | None = None

    async def enter(self) -> None:
        self._tty = self.board.open()
        await self._greet(self._tty)
        self.begin(self._serve(self._tty))

    async def leave(self) -> None:
        if self._tty:
            self._tty.close()

    def greeting(self) -> Mapping[str, int]:
        return {"waiting": len(self.waiting)}

    async def lost(self, problem: str) -> None:
        while self.waiting:
            self._fail(self.waiting.popleft(), problem, OF_BOARD)

    @register("evaluate", "batch", "files")
    async def evaluate(self, batch: str, files: Mapping[str, Blob]) -> int:
        """Evaluate bitstreams, by the name of the evaluation; how many now wait for this board."""
        if not isinstance(batch, str) or not 0 < len(batch) <= 128:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise Refused("bad-arguments", "args.batch: must be text of 1 to 128 characters")
        if len(self.waiting) + len(files) > self.board.settings.waiting:
            raise Refused("busy", f"{len(self.waiting)} bitstreams wait for {self.board.serial} already")
        good: list[Evaluation] = []
        bad: list[tuple[Evaluation, str]] = []
        for name, file in files.items():
            evaluation = Evaluation(batch, name, file)
            try:
                check_bitstream(await asyncio.to_thread(file.read))
            except (Invalid, OSError) as error:
                bad.append((evaluation, str(error)))
            else:
                good.append(evaluation)
        # All or nothing: a call that the end of the state cuts short has taken none.
        for evaluation, problem in bad:
            self._fail(evaluation, problem)
        self.waiting += good
        self._more.set()
        return len(self.waiting)

    async def _greet(self, tty: Tty) -> None:
        """Until the firmware waits for a bitstream. One that said so before anybody listened says it again after a
        lone byte, which its watchdog throws away."""
        seconds = self.board.settings.prepare_s / 2
        try:
            await tty.line_with(_waits, seconds)
        except NoAnswer:
            await tty.write(b"\0")
            if _waits(await tty.line_with(lambda line: _waits(line) or _threw_away(line), seconds)):
                await self._emptied(tty)  # it has only just begun, and may count the byte
            else:
                await tty.line_with(_waits, seconds)

    async def _emptied(self, tty: Tty) -> None:
        """Until the firmware has thrown away what it has of no bitstream; it does so silently when there is nothing."""
        with suppress(NoAnswer):
            await tty.line_with(_threw_away, EMPTY_S)
            await tty.line_with(_waits, EMPTY_S)

    async def _serve(self, tty: Tty) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not self.waiting:
                self._more.clear()
                try:
                    await tty.unless_gone(self._more.wait())
                except BoardFailed:  # unplugged, or restarted between two looks at the bus
                    await asyncio.sleep(UNPLUGGED_S)
                    self.board.restart()
                    return
            now, began = self.waiting[0], loop.time()
            self.board.console.note(f"bitstream {now.name} of batch {now.batch}")
            try:
                found = await self._on_board(tty, now.file.read())
            except (Invalid, OSError) as error:
                lost = isinstance(error, Invalid) and error.field == "transfer"
                self._fail(self.waiting.popleft(), str(error), OF_BOARD if lost else "")
                continue
            except NoAnswer as error:
                self._fail(self.waiting.popleft(), str(error), OF_BOARD)
                self.board.restart()
                return
            gate = found.groupdict().get("gate")
            self.tell(
                "results",
                batch=now.batch,
                results=[[now.name, type(self).value(found[1])]],
                took_ms=round((loop.time() - began) * 1000),
                **({"gate_ms": int(gate)} if gate else {}),
            )
            self.waiting.popleft()

    async def _on_board(self, tty: Tty, content: bytes) -> re.Match[str]:
        """The board's answer. NoAnswer when it hangs; Invalid when the bitstream never arrives whole."""
        seconds = self.board.settings.result_s
        received = ""
        for _ in range(TRANSFERS):
            tty.forget()
            try:
                async with asyncio.timeout(seconds):
                    await tty.write(content)
            except TimeoutError:
                raise NoAnswer(f"the board took no bitstream within {seconds:g} s") from None
            said = await tty.line_with(self._is_last, seconds)
            if (took := CRC.search(said)) and int(took[1], 16) != crc32(content):
                received = f"other bytes than these {BITSTREAM_BYTES}"
                await self._emptied(tty)
                continue
            said = CRC.sub("", said)
            if found := self.answer.fullmatch(said):
                return found
            if why := CANNOT.search(said):
                raise Invalid("bitstream", why[1])
            counted = WATCHDOG.search(said)
            received = f"{counted[1] if counted else 0} of {BITSTREAM_BYTES} bytes"
        raise Invalid("transfer", f"the board received {received}")

    def _is_last(self, line: str) -> bool:
        return bool(self.answer.fullmatch(CRC.sub("", line)) or _threw_away(line) or CANNOT.search(line))

    def _fail(self, evaluation: Evaluation, problem: str, cause: str = "") -> None:
        told = {"batch": evaluation.batch, "evaluation": evaluation.name, "problem": problem[:512]}
        self.tell("evaluation-failed", **told, **({"cause": cause} if cause else {}))


def _waits(line: str) -> bool:
    return WAITING in line


def _threw_away(line: str) -> bool:
    return bool(WATCHDOG.search(line))
