"""farmhand asic simulate"""

import asyncio
import ipaddress
import json
import os
import signal
import stat
import sys
from typing import Annotated

import typer

from sentry.errors import SentryError
from sentry.mining.simulated_asic import KINDS, MOODS, SimulatedAsic

app = typer.Typer(add_completion=False)

MOST = 2000


@app.command()
def simulate(
    count: Annotated[int, typer.Argument(min=1, max=MOST, help="How many.")],
    *,
    kind: Annotated[str, typer.Option("--type", help="cgminer, iceriver, bitaxe, or mixed.")] = "cgminer",
    host: Annotated[str, typer.Option(help="Address of the first one; each has its own (127.x.y.z).")] = "127.1.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of all; 0: the type's own, 4028 or 80.")] = 0,
    free_ports: Annotated[bool, typer.Option(help="All at the first address, each at a free port.")] = False,
    slow: Annotated[int, typer.Option(min=0, help="So many of them answer late.")] = 0,
    delay_ms: Annotated[int, typer.Option(min=0, help="How late.")] = 1000,
    half: Annotated[int, typer.Option(min=0, help="So many stop in the middle of an answer.")] = 0,
    dead: Annotated[int, typer.Option(min=0, help="So many take connections and say nothing.")] = 0,
    gone: Annotated[int, typer.Option(min=0, help="So many do not listen.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Simulated ASICs on this host until SIGTERM or Ctrl-C. A line `NUMBER WHAT` of input changes one: `2 dead`,
    `2 well`, `2 boards 1`, `2 pool URL`, `2 rejected 50`, `2 restart`, `2 deny`."""
    if kind not in (*KINDS, "mixed"):
        raise SentryError(f"--type: must be one of {', '.join(KINDS)}, mixed")
    try:
        first = ipaddress.IPv4Address(host)
    except ValueError:
        raise SentryError(f"--host: {host!r} must be an IPv4 address") from None
    if not (first.is_loopback and (first + count).is_loopback):
        raise SentryError("--host: must be of loopback (127.x.y.z), for all of them")
    moods = ["slow"] * slow + ["half"] * half + ["dead"] * dead + ["gone"] * gone
    asics: list[SimulatedAsic] = []
    for number in range(count):
        each = KINDS[number % len(KINDS)] if kind == "mixed" else kind
        own = 0 if free_ports else port or (4028 if each == "cgminer" else 80)
        mood = moods[number] if number < len(moods) else "well"
        asics.append(SimulatedAsic(each, str(first if free_ports else first + number), own, mood, delay_ms / 1000))
    try:
        asyncio.run(_serve(asics, as_json))
    except OSError as error:
        raise SentryError(f"--host, --port: cannot be listened on: {error.strerror or error}") from None


async def _serve(asics: list[SimulatedAsic], as_json: bool) -> None:
    for each in asics:
        await each.start()
        if each.mood == "gone":
            await each.stop()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    places = [{"type": each.kind, "host": each.host, "port": each.port, "mood": each.mood} for each in asics]
    if as_json:
        print(json.dumps(places), flush=True)
    else:
        for number, place in enumerate(places):
            print(f"{number:>4} {place['type']:<8} {place['host']}:{place['port']} {place['mood']}", flush=True)
    lines = asyncio.create_task(_orders(asics))
    await over.wait()
    lines.cancel()
    for each in asics:
        await each.stop()


async def _orders(asics: list[SimulatedAsic]) -> None:
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or sys.stdin.isatty()):
        return  # no input that can be waited for
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        number, what, value = (*line.decode(errors="replace").split(None, 2), "", "", "")[:3]
        try:
            if not number.isdecimal() or int(number) >= len(asics):
                raise ValueError(f"must begin with a number below {len(asics)}; moods: {', '.join(MOODS)}")
            await asics[int(number)].turn(what.strip(), value.strip())
            print(f"ok {number} {what}", flush=True)
        except (ValueError, OSError) as error:
            print(f"no: {error}", flush=True)
