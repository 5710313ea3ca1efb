"""Requests to the commander. One that is being restarted is waited for."""

import asyncio
import os
import time
from typing import Any

import httpx

from farmhand_client.errors import FarmError, NoAnswer

PATIENCE_S = 60.0
PAUSE_S = 0.5
BUSY = (502, 503, 504)
ANSWER_S = 130.0  # a call waits until its sentry has fetched the files


class Api:
    """JSON of the paths below /api/v1. ``key``: of the role operator; FARMHAND_KEY unless given."""

    def __init__(self, url: str, key: str | None = None, patience_s: float = PATIENCE_S) -> None:
        self.url = url.rstrip("/")
        self.patience_s = patience_s
        key = key or os.environ.get("FARMHAND_KEY", "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        limits = httpx.Timeout(ANSWER_S, connect=10)
        self._http = httpx.AsyncClient(base_url=self.url + "/api/v1", headers=headers, timeout=limits, trust_env=False)

    async def get(self, path: str, **query: Any) -> Any:
        """Query values that are None are left out."""
        return await self._ask("GET", path, params={k: v for k, v in query.items() if v is not None})

    async def post(self, path: str, body: Any, again: bool = True) -> Any:
        """``again``: asking twice does no harm, so it is asked again when the answer got lost."""
        return await self._ask("POST", path, again, json=body)

    async def upload(self, path: str, content: bytes, **query: str) -> Any:
        return await self._ask("POST", path, params=query, content=content)

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(self, method: str, path: str, again: bool = True, **given: Any) -> Any:
        end = time.monotonic() + self.patience_s
        while True:
            try:
                answer = await self._http.request(method, path, **given)
                if answer.status_code not in BUSY:
                    return _read(answer)
                problem = _error(answer).problem
            except httpx.UnsupportedProtocol as error:
                raise FarmError("url", f"{self.url}: {error} It must be like http://farm:8080") from None
            except httpx.TransportError as error:
                problem = f"no commander answers at {self.url}: {error or type(error).__name__}"
                if not again and not isinstance(error, httpx.ConnectError):
                    raise NoAnswer("", problem) from None
            if time.monotonic() > end:
                raise NoAnswer("", problem)
            await asyncio.sleep(PAUSE_S)


def _read(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise _error(answer)
    try:
        return answer.json()
    except ValueError:
        raise FarmError("url", f"{answer.url} is no farmhand API", answer.status_code) from None


def _error(answer: httpx.Response) -> FarmError:
    try:
        error = answer.json()["error"]
        return FarmError(str(error["field"]), str(error["problem"]), answer.status_code)
    except (ValueError, KeyError, TypeError):
        return FarmError("", f"{answer.url} answered {answer.status_code}", answer.status_code)
