"""Boards as clients of the API ask for them."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.commander.serving import Serving
from tests.support.waiting import wait_until

API = "/api/v1/boards"


def free(serving: Serving) -> int:
    return serving.get("/boards/available")["count"]


def posted(client: httpx.Client, path: str, **body: Any) -> Any:
    answer = client.post(API + path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def reserved(client: httpx.Client, **body: Any) -> Any:
    return posted(client, "/leases", **{"kind": "pulsecount", **body})


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["field"]


def boards(serving: Serving, **query: Any) -> dict[str, Any]:
    return {row["serial"]: row for row in serving.get("/boards", **query)["items"]}


def until(client: httpx.Client, lease: str, test: Callable[[Any], bool]) -> Any:
    """The lease, once it is so."""

    def found() -> Any:
        row = client.get(f"{API}/leases/{lease}").json()
        return test(row) and row

    return wait_until(f"lease {lease}", found)


def user(serving: Serving, name: str) -> httpx.Client:
    """An operator of this name."""
    answer = serving.admin.post("/api/v1/keys", json={"name": name, "role": "operator"})
    return serving.client(answer.json()["key"])
