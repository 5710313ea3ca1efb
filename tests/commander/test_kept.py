"""Answers kept for a moment: for the same asker only, never over a change, never an error."""

import asyncio
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from commander.http.kept import KeptAnswers


class App:
    """Answers with its number of calls, 401 without credentials; GETs wait for the `gate`."""

    def __init__(self) -> None:
        self.calls = 0
        self.gate: asyncio.Event | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        body = str(self.calls).encode()
        if self.gate and scope["method"] == "GET":
            await self.gate.wait()
        status = 401 if scope["headers"] == [] else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})


async def ask(
    kept: KeptAnswers, path: str = "/api/v1/nodes", key: str = "a", query: str = "", method: str = "GET"
) -> str:
    told: list[Message] = []

    async def send(message: Message) -> None:
        told.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    headers: list[Any] = [(b"authorization", key.encode())] if key else []
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": headers}
    await kept(scope, receive, send)
    return told[1]["body"].decode()


def answers(*questions: dict[str, str]) -> list[str]:
    async def all_of_them() -> list[str]:
        kept = KeptAnswers(App())
        return [await ask(kept, **question) for question in questions]

    return asyncio.run(all_of_them())


def test_the_same_question_is_answered_once() -> None:
    assert answers({}, {}, {"query": "limit=2"}, {}, {"query": "limit=2"}) == ["1", "1", "2", "1", "2"]


def test_another_asker_asks_anew() -> None:
    assert answers({"key": "a"}, {"key": "b"}, {"key": "a"}) == ["1", "2", "1"]


def test_only_lists_are_kept_and_no_errors() -> None:
    assert answers({"path": "/api/v1/nodes/x"}, {"path": "/api/v1/nodes/x"}) == ["1", "2"]
    assert answers({"key": ""}, {"key": ""}) == ["1", "2"]


def test_a_change_is_seen_at_once() -> None:
    assert answers({}, {"method": "POST"}, {}) == ["1", "2", "3"]


def test_an_answer_that_a_change_overtook_is_not_kept() -> None:
    async def overtaken() -> list[str]:
        app = App()
        app.gate = asyncio.Event()
        kept = KeptAnswers(app)
        slow = asyncio.create_task(ask(kept))
        await asyncio.sleep(0)
        await ask(kept, method="DELETE")
        app.gate.set()
        return [await slow, await ask(kept)]

    assert asyncio.run(overtaken()) == ["1", "3"]
