"""Ports that nobody listens on."""

import socket


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


def with_ports(farm_toml: str) -> str:
    """A farm.toml whose every `{}` became a free port."""
    return farm_toml.format(*free_ports(farm_toml.count("{}")))
