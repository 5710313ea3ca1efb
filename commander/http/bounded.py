"""No request fills the memory: bodies are read before anybody looks at the key."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MIB = 1024 * 1024


class Bounded:
    """ASGI middleware. A body of more than `most` bytes is refused with 413 as soon as it is too long."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise HTTPException(413, f"must be at most {self._most / MIB:g} MiB")
            return message

        await self._app(scope, bounded if scope["type"] == "http" else receive, send)
