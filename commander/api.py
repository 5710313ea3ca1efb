"""The command line's way to the commander: its HTTP API, with the key that lies in the farm's state folder."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from broker.domains import load

UNDER_WAY = ("sent", "accepted", "progress")
LOOK_S = 0.05
TIMEOUT_S = 15.0
AGAIN_S, PATIENCE_S = 0.5, 120.0  # with a commander that is being restarted
MOST = 1_000  # rows of one answer


class ApiError(RuntimeError):
    """The commander refused, or cannot be reached; one line for people."""

    def __init__(self, problem: str) -> None:
        self.user_message = problem
        super().__init__(problem)


class NoAnswer(ApiError):
    """No commander answers, or it cannot just now; it may later."""


class Api:
    """url and key: given, else FARMHAND_URL and FARMHAND_KEY, else from the state folder. `patience_s`: for how long to
    ask again while no commander answers."""

    def __init__(self, state: Path, url: str = "", key: str = "") -> None:
        self.url = (url or os.environ.get("FARMHAND_URL", "") or _local_url(state)).rstrip("/")
        self.key = key or os.environ.get("FARMHAND_KEY", "") or _local_key(state)
        headers = {"Authorization": f"Bearer {self.key}"}
        self.patience_s = 0.0
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT_S, trust_env=False)

    def get(self, path: str, **query: Any) -> Any:
        """JSON of GET /api/v1<path>; empty query values are left out."""
        return self._ask("GET", path, params={k: v for k, v in query.items() if v not in (None, "")})

    def history(self, path: str, most: int | None, **query: Any) -> dict[str, Any]:
        """So many rows of what has happened, newest first, or all: page after page."""
        items: list[Any] = []
        before: int | None = None
        while True:
            limit = MOST if most is None else min(MOST, most - len(items))
            answer = self.get(path, limit=limit, before=before, **query)
            items += answer["items"]
            before = answer["next"]
            if before is None or len(items) == most:
                return {"items": items, "next": before}

    def post(self, path: str, body: Any, **given: Any) -> Any:
        return self._ask("POST", path, json=body, **given)

    def upload(self, path: str, data: bytes, **query: str) -> Any:
        """JSON of POST /api/v1<path> with raw bytes."""
        return self._ask("POST", path, params=query, content=data)

    def put(self, path: str, body: Any) -> Any:
        return self._ask("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    def command(self, node: str, name: str, args: dict[str, Any], timeout_s: int) -> dict[str, Any]:
        """Send a signed command; its row when it is answered, or the commander has given it up."""
        row = self.post(f"/nodes/{node}/commands", {"name": name, "args": args, "timeout_s": timeout_s})
        began = now = time.monotonic()
        while row["status"] in UNDER_WAY and now < began + timeout_s + 3:
            time.sleep(min(0.2, max(LOOK_S, (now - began) / 5)))
            row = self.get(f"/commands/{row['id']}")
            now = time.monotonic()
        return row

    def ready(self) -> list[str]:
        """What the commander still waits for; ApiError while it does not answer."""
        try:
            return self._http.get("/readyz").json()["problems"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise ApiError(f"no commander answers at {self.url}: {error}") from None

    def live(self) -> Iterator[tuple[str, Any]]:
        """(kind, data) of each live event, for ever."""
        try:
            with self._http.stream("GET", "/api/v1/live", timeout=httpx.Timeout(15, read=60)) as answer:
                if answer.status_code != 200:
                    answer.read()
                    raise ApiError(_problem(answer))
                kind = ""
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        kind = line[7:]
                    elif line.startswith("data: "):
                        yield kind, json.loads(line[6:])
        except httpx.HTTPError as error:
            raise ApiError(f"the connection to {self.url} broke: {error}") from None

    def _ask(self, method: str, path: str, **given: Any) -> Any:
        end = time.monotonic() + self.patience_s
        while True:
            try:
                return self._ask_once(method, path, **given)
            except NoAnswer:
                if time.monotonic() >= end:
                    raise
                time.sleep(AGAIN_S)

    def _ask_once(self, method: str, path: str, **given: Any) -> Any:
        try:
            answer = self._http.request(method, f"/api/v1{path}", **given)
        except httpx.HTTPError as error:
            raise NoAnswer(f"no commander answers at {self.url}: {error}; `farmhand up` starts one") from None
        if answer.is_server_error:
            raise NoAnswer(_problem(answer))
        if answer.is_error:
            raise ApiError(_problem(answer))
        return answer.json()


def _problem(answer: httpx.Response) -> str:
    try:
        error = answer.json()["error"]
        return f"{error['field']}: {error['problem']}"
    except (ValueError, KeyError, TypeError):
        return f"the commander answered {answer.status_code}"


def _local_url(state: Path) -> str:
    path = state / "farm.toml"
    try:
        return "http://" + load(path.read_text(), str(path)).commander.http
    except OSError:
        raise ApiError(f"{path} does not exist: run `farmhand up` here, or give --url and --key") from None


def _local_key(state: Path) -> str:
    path = state / "commander" / "admin.key"
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ApiError(f"{path}: {error.strerror}: give --key, or set FARMHAND_KEY") from None
