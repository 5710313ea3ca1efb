"""Ports that nobody listens on."""

import socket
from contextlib import suppress


def free_ports(count: int) -> list[int]:
    """Different ports of 127.0.0.1, free at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def quiet_ports(count: int) -> list[int]:
    """The same for servers that begin later: of those that no connection is given meanwhile (Linux gives 32768 and
    above)."""
    found: list[int] = []
    for port in range(31_000, 20_000, -1):
        with socket.socket() as each, suppress(OSError):
            each.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"fewer than {count} ports are free")


def with_ports(farm_toml: str) -> str:
    """A farm.toml whose every `{}` became a free port."""
    return farm_toml.format(*free_ports(farm_toml.count("{}")))
