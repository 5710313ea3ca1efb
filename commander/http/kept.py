"""Lists that many dashboards ask for are answered again from the finished bytes, for a moment.

It stands before FastAPI's routing, which costs more than building the answer (docs/profile.md).
"""

import time
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = frozenset(("/api/v1/nodes", "/api/v1/devices", "/api/v1/domains"))
# An answer is built again after 50 ms, or after five times what building it took on a large farm; no value in it is
# older than the second that is promised.
LEAST_S = 0.05
MOST_S = 0.25
BUILDING = 5
MOST_ANSWERS = 256
CREDENTIALS = (b"authorization", b"cookie")


class Answer(NamedTuple):
    """A finished answer and until when (monotonic seconds) it may be given."""

    until: float
    messages: list[Message]


class KeptAnswers:
    """ASGI middleware. The same question with the same credentials gets the same answer; whoever changes something
    sees the change at once.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._answers: dict[tuple[bytes | str, ...], Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] != "GET":
            await self._app(scope, receive, send)
            self._answers = {}  # a new one: what is being answered at this moment goes into the old one
        elif scope["path"] in PATHS:
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        who = (part for header in scope["headers"] if header[0] in CREDENTIALS for part in header)
        question = (scope["path"], scope["query_string"], *who)
        began = time.monotonic()
        answers = self._answers
        kept = answers.get(question)
        if kept and began < kept.until:
            for message in kept.messages:
                await send(message)
            return
        messages: list[Message] = []
        built = began

        async def keep_and_send(message: Message) -> None:
            nonlocal built
            if not messages:
                built = time.monotonic()
            messages.append(message)
            await send(message)

        await self._app(scope, receive, keep_and_send)
        if messages and messages[0].get("status") == 200:
            if len(answers) >= MOST_ANSWERS:
                answers.clear()
            keep = min(MOST_S, max(LEAST_S, BUILDING * (built - began)))
            answers[question] = Answer(began + keep, messages)
