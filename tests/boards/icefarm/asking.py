"""The gateway as its clients ask it over HTTP, and what they are to hear."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from tests.boards.board_sentry import count_of
from tests.commander.serving import Serving

SERIALS = ["e660", "e661", "e662", "e663"]


def free(serving: Serving) -> int:
    return serving.get("/boards/available")["count"]


def ask(http: httpx.Client, path: str, **body: Any) -> Any:
    """As the client asks: GET with a body."""
    answer = http.request("GET", path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(http: httpx.Client, path: str, **body: Any) -> tuple[int, str]:
    answer = http.request("GET", path, json=body)
    return answer.status_code, answer.json()["error"]["field"]


def files(folder: Path, *names: str) -> dict[str, str]:
    """path -> what the sentry counts for it, as the client is told."""
    found: dict[str, str] = {}
    for name in names:
        (folder / name).write_bytes(name.encode())
        found[str(folder / name)] = str(count_of(sha256(name.encode()).hexdigest()))
    return found


def lease_of(serving: Serving, name: str) -> Any:
    (found,) = serving.get("/boards/leases", name=name, state="active")["items"]
    return found
