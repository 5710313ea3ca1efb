"""farmhand pool serve | stats"""

import asyncio
import json
import logging
import signal
from dataclasses import replace
from typing import Annotated

import typer

from sentry.errors import SentryError
from sentry.mining.duco_judged import Judged
from sentry.mining.duco_rules import Rules
from sentry.mining.duco_server import Manners, PoolServer, ask_statistics
from sentry.mining.duco_tiers import LADDER, TIERS

PORT = 2811

app = typer.Typer(no_args_is_help=True, help="A Duino-Coin pool of one's own: no balances, real jobs.")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Host = Annotated[str, typer.Option(help="Where it listens.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")]


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = PORT,
    *,
    difficulty: Annotated[
        list[str] | None, typer.Option(metavar="TIER=N", help="Difficulty of a tier; may be repeated.")
    ] = None,
    delay_ms: Annotated[int, typer.Option(min=0, max=60_000, help="Answers leave so much later.")] = 0,
    ladder: Annotated[bool, typer.Option(help="Refuse results whose hash rate does not fit their tier.")] = False,
    shares_per_minute: Annotated[int, typer.Option(min=0, help="Most of one connection; 0: no limit.")] = 80,
    modified_pct: Annotated[
        float, typer.Option(min=0, help="Most the reported hash rate may differ from the measured; 0: any.")
    ] = 0,
    most_workers: Annotated[int, typer.Option(min=0, help="Most connections of one user; 0: no limit.")] = 0,
    ban: Annotated[list[str] | None, typer.Option(metavar="USER", help="Refuse this user; may be repeated.")] = None,
    block_every: Annotated[int, typer.Option(min=0, help="One share of so many, by chance, is a BLOCK.")] = 0,
    first_timeout: Annotated[float, typer.Option(min=0.1, help="Seconds of silence before the first job.")] = 30,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds of silence after it.")] = 90,
    by_segment: Annotated[bool, typer.Option(help="Take each read for one message, as the public pool does.")] = False,
    motd: Annotated[str, typer.Option(help="Answer to MOTD.")] = Manners.motd,
    seed: Annotated[str, typer.Option(help="The same seed draws the same jobs.")] = "",
    ledger: Annotated[str, typer.Option(metavar="FILE", help="Gets one line of JSON for each judged share.")] = "",
    as_json: AsJson = False,
) -> None:
    """Serve until SIGTERM or Ctrl-C; the first line of output says where."""
    tiers = {**TIERS, **{name: replace(TIERS[name], difficulty=n) for name, n in _pairs(difficulty)}}
    rules = Rules(tiers, shares_per_minute, modified_pct, most_workers, block_every, ladder, frozenset(ban or ()))
    manners = Manners(delay_ms / 1000, first_timeout, timeout, by_segment, motd, seed)
    logging.basicConfig(level=logging.INFO)
    try:
        judged = Judged(ledger) if ledger else None
    except OSError as error:
        raise SentryError(f"--ledger: {ledger}: cannot be written: {error.strerror}") from None
    try:
        asyncio.run(_serve(PoolServer(rules, manners, judged), host, port, as_json))
    except OSError as error:
        raise SentryError(f"--host, --port: {host}:{port} cannot be listened on: {error.strerror}") from None


@app.command()
def stats(host: Host = "127.0.0.1", port: Port = PORT, as_json: AsJson = False) -> None:
    """What a running `farmhand pool serve` has counted."""
    try:
        found = asyncio.run(ask_statistics(host, port))
    except (OSError, ValueError, TimeoutError) as error:
        raise SentryError(f"{host}:{port}: no pool of farmhand answers: {error}") from None
    if as_json:
        typer.echo(json.dumps(found))
        return
    workers = found.pop("workers")
    typer.echo("  ".join(f"{name} {value}" for name, value in found.items()))
    for name, each in sorted(workers.items()):
        typer.echo(f"{name:>24}  " + "  ".join(f"{field} {value}" for field, value in each.items()))


def _pairs(given: list[str] | None) -> list[tuple[str, int]]:
    pairs: list[tuple[str, int]] = []
    for each in given or ():
        name, _, number = each.partition("=")
        if name not in TIERS or not number.isdecimal() or not 1 <= int(number) <= 4_294_967:
            allowed = ", ".join(LADDER)
            raise SentryError(f"--difficulty: {each!r} must be TIER=1..4294967, where TIER is one of {allowed}")
        pairs.append((name, int(number)))
    return pairs


async def _serve(pool: PoolServer, host: str, port: int, as_json: bool) -> None:
    server = await pool.start(host, port)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    address = server.sockets[0].getsockname()
    place = {"host": str(address[0]), "port": int(address[1]), "seed": pool.seed}
    typer.echo(json.dumps(place) if as_json else f"pool on {place['host']}:{place['port']}, seed {place['seed']}")
    await over.wait()
    server.close()
