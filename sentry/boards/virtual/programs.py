"""What runs on a virtual board, by its firmware: each talks on the serial port as the real one does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from schema.boards import BITSTREAM_BYTES
from sentry.boards.virtual.evaluate import Count, Evaluator, NotFinished, Refused
from sentry.boards.virtual.noise import variance
from sentry.boards.virtual.tools import NoTool
from sentry.boards.virtual.tty import Tty

WATCHDOG_S = 2.0
GREET_S = 1.0
FAULTS = ("hang", "no-answer", "short-answer", "no-bootloader-disk")
"""hang: the firmware does nothing, not even go into the bootloader; no-answer: bitstreams are taken and never answered;
short-answer: the answer ends in the middle; no-bootloader-disk: a touched board vanishes from the bus."""


@dataclass(slots=True)
class Running:
    """What a program runs on. ``count_s``: wall time of one evaluation at least; ``faults``: those in force."""

    serial: str
    tty: Tty
    evaluator: Evaluator
    count_s: float
    faults: set[str]
    received: bytearray = field(default_factory=bytearray)


async def default(board: Running) -> None:
    while True:
        board.tty.write("default firmware\r\n")
        await asyncio.sleep(GREET_S)


async def pulse_count(board: Running) -> None:
    await _evaluate_all(board, lambda count, _: f"pulses: {count.pulses}, gate {count.gate_ms} ms")


async def measure_variance(board: Running) -> None:
    await _evaluate_all(
        board,
        lambda count, bitstream: (
            f"variance: {variance(count.pulses, bitstream, board.serial)}, gate {count.gate_ms} ms"
        ),
    )


PROGRAMS: dict[str, Callable[[Running], Awaitable[None]]] = {
    "default": default,
    "pulsecount": pulse_count,
    "variance": measure_variance,
}


async def _evaluate_all(board: Running, answer: Callable[[Count, bytes], str]) -> None:
    board.received.clear()
    waiting = True
    while True:
        if waiting:
            board.tty.write("Waiting for bitstream transfer\r\n")
        bitstream = await _bitstream(board)
        waiting = bitstream is not None
        if bitstream is None:
            board.tty.write(f"Watchdog timeout, {len(board.received)} bytes received of {BITSTREAM_BYTES}\r\n")
            board.received.clear()
            waiting = True
            continue
        try:
            counted, _ = await asyncio.gather(board.evaluator.count(bitstream), asyncio.sleep(board.count_s))
            line = answer(counted, bitstream)
        except (Refused, NotFinished, NoTool) as error:
            # The last line before silence is what a program that waits for an answer shows to a person.
            line, waiting = f"cannot evaluate: {error}", False
        if "short-answer" in board.faults:
            board.tty.write(line[: len(line) // 3])
        elif "no-answer" not in board.faults:
            board.tty.write(line + "\r\n")


async def _bitstream(board: Running) -> bytes | None:
    """None when nothing more came for the time of the watchdog; what came so far is in ``received``."""
    while len(board.received) < BITSTREAM_BYTES:
        try:
            async with asyncio.timeout(WATCHDOG_S if board.received else None):
                board.received += await board.tty.read()
        except TimeoutError:
            return None
    bitstream = bytes(board.received[:BITSTREAM_BYTES])
    del board.received[:BITSTREAM_BYTES]
    return bitstream
