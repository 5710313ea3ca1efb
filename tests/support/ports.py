"""Ports that nobody listens on."""

import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import suppress

FIRST, LAST = 10_000, 18_000
"""Below those that Linux gives to connections (32768 and above): a server finds its port also when it begins later."""


def _of_this_process() -> Iterator[int]:
    """Workers of one run have ports of their own, and give none a second time soon; other runs begin elsewhere."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    mine = range(FIRST + number % workers, LAST, workers)
    return itertools.islice(itertools.cycle(mine), os.getpid() * 8 % len(mine), None)


_ports = _of_this_process()


def free_ports(count: int) -> list[int]:
    """Different ports of 127.0.0.1, free at this moment."""
    found: list[int] = []
    for port in itertools.islice(_ports, LAST - FIRST):
        if len(found) == count:
            return found
        with socket.socket() as each, suppress(OSError):
            each.bind(("127.0.0.1", port))
            found.append(port)
    raise OSError(f"fewer than {count} ports are free")


def with_ports(farm_toml: str) -> str:
    """A farm.toml whose every `{}` became a free port."""
    return farm_toml.format(*free_ports(farm_toml.count("{}")))
