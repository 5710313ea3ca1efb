"""Where `farmhand up` keeps a farm and listens: the state folder, its lock, farm.toml, ports."""

import errno
import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import IO

from broker.domains import Farm, load

FARM_TOML = """\
# Two domains, each with a broker of its own, bridged. Read docs/farm.md for all that may stand here.
root = "farm"

[domains.house]
home = true
host = "127.0.0.1"
port = {house}

[domains.barn]
host = "127.0.0.1"
port = {barn}

[[links]]
a = "barn"
b = "house"

[commander]
http = "127.0.0.1:{http}"
database = "sqlite"
"""

FIRST_AUTO, LAST_AUTO, AUTO_APART = 20_000, 32_000, 8


class CannotStart(RuntimeError):
    """A farm cannot start here; says what is in the way."""

    def __init__(self, problem: str) -> None:
        self.user_message = problem
        super().__init__(problem)


def lock(state: Path) -> IO[str]:
    (state / "run").mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (state / "run" / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(f"{state}: this farm is already up") from None
    return lock


def farm_of(state: Path, ports: str) -> Farm:
    path = state / "farm.toml"
    if not path.exists():
        free = free_ports(3) if ports == "auto" else [18830, 18831, 8080]
        path.write_text(FARM_TOML.format(house=free[0], barn=free[1], http=free[2]))
    return load(path.read_text(), str(path))


def free_ports(count: int) -> list[int]:
    """Below those that Linux gives to connections: what will listen there begins later. By process, as several farms
    may begin at the same time."""
    found: list[int] = []
    span = LAST_AUTO - FIRST_AUTO
    for step in range(span):
        port = FIRST_AUTO + (os.getpid() * AUTO_APART + step) % span
        with socket.socket() as each, suppress(OSError):
            each.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise CannotStart(f"127.0.0.1: no {count} ports are free from {FIRST_AUTO} to {LAST_AUTO}")


def check_ports(farm: Farm) -> None:
    """Say before anything starts who will not be able to listen."""
    places = {f"domains.{d.name}.port": (d.host if d.loopback else "", d.port) for d in farm.domains.values()}
    host, _, port = farm.commander.http.rpartition(":")
    places["commander.http"] = (host.strip("[]"), int(port))
    for field, place in places.items():
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Mosquitto and uvicorn do
                probe.bind(place)
        except OSError as error:
            why = (
                "is in use by another program; end it"
                if error.errno == errno.EADDRINUSE
                else f"cannot be listened on: {error.strerror}"
            )
            raise CannotStart(f"{field}: {place[0]}:{place[1]} {why}, or change farm.toml") from None
