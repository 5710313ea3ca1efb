"""A gateway that asks for API keys, which unmodified clients bring in its address."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.boards.icefarm.asking import ask, files, free, refused
from tests.boards.icefarm.clients import VERSIONS, OldClient
from tests.commander.serving import Serving

pytestmark = pytest.mark.broker

WISH = {"name": "ann", "amount": 1, "kind": "pulsecount", "args": {}}
PATHS = (
    "available",
    "devices",
    "reserve",
    "reserveserials",
    "extend",
    "extendall",
    "end",
    "endall",
    "reboot",
    "delete",
)


@pytest.fixture(autouse=True)
def asks_for_keys(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.service.settings, "icefarm_keys", True)


@pytest.fixture
def key(serving: Serving) -> Iterator[str]:
    made = serving.admin.post("/api/v1/keys", json={"name": "lab", "role": "operator"}).json()
    yield made["key"]
    serving.admin.delete(f"/api/v1/keys/{made['id']}")


def with_key(url: str, key: str, name: str = "lab 1/2") -> str:
    return str(httpx.URL(url, username=name, password=key))


def basic(word: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(word).decode()}


def test_without_a_key_nothing_is_answered_but_the_page(http: httpx.Client, serving: Serving, key: str) -> None:
    for headers in ({}, basic(b"any:wrong"), basic(b"\xff"), {"Authorization": "Basic ?"}, basic(b"no colon"),
                    {"Authorization": "Basic ÿ"}, {"Authorization": f"Bearer {key}"}):  # fmt: skip
        http.headers = httpx.Headers(headers, encoding="latin-1")
        for path in PATHS:
            assert refused(http, f"/{path}", **WISH, serials=["e660"]) == (401, "key")
        page = http.get("/")
        assert f"http://any:YOUR-KEY@{http.base_url.netloc.decode()}" in page.text
    reader = serving.key("reader")
    http.headers = httpx.Headers(basic(b"any:" + reader.encode()))
    assert refused(http, "/reserve", **WISH) == (403, "role")
    assert free(serving) == 4


def test_an_answer_has_the_key_for_the_second_socket(http: httpx.Client, key: str) -> None:
    http.base_url = httpx.URL(with_key(str(http.base_url), key))
    (row,) = ask(http, "/reserve", **WISH)
    there = httpx.URL(row["url"])
    assert (there.username, there.password, there.port) == ("lab 1/2", key, http.base_url.port)
    assert f"http://{row['ip']}:{row['serverport']}" == row["url"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_with_a_key_in_its_address(version: str, url: str, key: str, tmp_path: Path) -> None:
    client = OldClient(version, with_key(url, key), "ann")
    try:
        assert client.connected
        (serial,) = client.call("reserve", 1)
        expected = files(tmp_path, "a.bin", "b.bin")
        assert sorted(client.call("evaluate", list(expected))) == [[serial, *each] for each in expected.items()]
        assert client.call("extend", [serial]) == [serial]
        assert client.call("endAll") == [serial]
    finally:
        client.kill()
    for address in (url, with_key(url, "wrong")):
        stranger = OldClient(version, address, "ann")
        try:
            assert not stranger.connected
            assert stranger.call("available") is False
        finally:
            stranger.kill()


def test_a_key_that_is_deleted_is_out(url: str, serving: Serving, tmp_path: Path) -> None:
    made = serving.admin.post("/api/v1/keys", json={"name": "lab", "role": "operator"}).json()
    client = OldClient(VERSIONS[-1], with_key(url, made["key"]), "ann")
    try:
        (serial,) = client.call("reserve", 1)
        assert serving.admin.delete(f"/api/v1/keys/{made['id']}").status_code in (200, 204)
        assert client.call("extend", [serial]) is False
        client.begin("evaluate", list(files(tmp_path, "a.bin")))
        serving.until(lambda: "disconnected" in client.log())
        assert client.events("results") == []
    finally:
        client.kill()
