"""The event loop of a client that blocks."""

import asyncio
import socket
from typing import Any


class Loop(asyncio.SelectorEventLoop):
    """Resolves names also while the interpreter exits, when no thread can be started any more: `atexit` gives boards
    back then."""

    async def getaddrinfo(self, host: Any, port: Any, **how: Any) -> Any:
        try:
            return await super().getaddrinfo(host, port, **how)
        except RuntimeError:
            return socket.getaddrinfo(host, port, **how)
