"""How boards do: shown, asked for over HTTP and from the command line."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from farmhand_client import AsyncPulseCountClient, FarmError, PulseCountClient
from playwright.sync_api import Browser, expect

from tests.boards.board_sentry import BoardSentry
from tests.boards.cli import Cli
from tests.boards.http.asking import API, boards, refused, reserved, user
from tests.commander.serving import Serving

pytestmark = pytest.mark.broker


@pytest.fixture(autouse=True)
def shaky(serving: Serving, sentry: BoardSentry) -> Iterator[None]:
    """e661 failed lately."""
    sentry.report("e661", shaky=True)
    serving.until(lambda: list(boards(serving, health="shaky")) == ["e661"])
    yield
    sentry.report("e661", shaky=False)
    serving.until(lambda: len(boards(serving, health="good")) == 4)


def test_by_health(serving: Serving, sentry: BoardSentry) -> None:
    ann = user(serving, "ann")
    assert {row["health"] for row in boards(serving, health="good").values()} == {"good"}
    assert serving.get("/boards/available", health="shaky")["serials"] == ["e661"]
    assert serving.get("/boards/available", health="good")["serials"] == ["e660", "e662", "e663"]
    first, second = (reserved(ann)["boards"][0]["serial"] for _ in range(2))
    assert {first, second} == {"e660", "e662"}, "good ones first"
    part = {"kind": "variance", "selector": {"health": "shaky"}}
    gang = reserved(ann, selector={"health": "good", "tags": ["sma"]}, together=[part])
    assert [row["boards"][0]["serial"] for row in (gang, *gang["together"])] == ["e663", "e661"]
    assert gang["selector"] == {"health": "good", "tags": ["sma"]}


def test_who_wants_a_good_one_gets_it_once_it_is(serving: Serving, sentry: BoardSentry) -> None:
    ann = user(serving, "ann")
    waiting = reserved(ann, serials=["e661"], selector={"health": "good"})
    assert (waiting["state"], waiting["eta"]) == ("waiting", None)
    sentry.report("e661", shaky=False)
    serving.until(lambda: serving.get(f"/boards/leases/{waiting['id']}")["state"] == "active")


def test_words_that_make_no_sense(serving: Serving, sentry: BoardSentry) -> None:
    wish = {"kind": "pulsecount", "selector": {"health": "broken"}}
    for body in (wish, {"kind": "pulsecount", "together": [wish]}):
        answer = serving.operator.post(f"{API}/leases", json=body)
        assert refused(answer) == (422, "selector.health")
        assert "good, shaky; a board that is broken or" in answer.json()["error"]["problem"]
    assert refused(serving.reader.get(f"{API}/available", params={"health": "quarantine"})) == (422, "health")
    answer = serving.reader.get(API, params={"health": "fine"})
    assert refused(answer) == (422, "health")
    assert answer.json()["error"]["problem"] == "must be one of: good, shaky, broken, quarantine"


def test_the_command_line(serving: Serving, sentry: BoardSentry, farmhand: Cli) -> None:
    assert "ready, shaky" in farmhand("list")
    assert [row["serial"] for row in json.loads(farmhand("list", "--health", "shaky", "--json"))["items"]] == ["e661"]
    assert farmhand("available", "--health", "shaky") == "1 available: e661\n"
    assert farmhand("reserve", "--health", "shaky").rstrip().endswith(": e661")
    assert "good, shaky" in farmhand("reserve", "--health", "broken", code=1)
    assert "0 of the 4 boards" in farmhand("reserve", "--health", "shaky", "--now", code=1)
    said = farmhand("reserve", "1", "--health", "good", "--together", "1 variance tag=sma health=good")
    assert [line.split()[1] for line in said.splitlines()] == ["active", "active"]
    assert said.split()[-1] == "e663"
    assert "waiting" in farmhand("reserve", "--health", "shaky")
    assert "health=shaky" in farmhand("leases")


def test_the_client_library(serving: Serving, sentry: BoardSentry) -> None:
    key = serving.key("operator")

    async def reserve() -> list[str]:
        async with AsyncPulseCountClient(serving.url, "async", key=key) as client:
            return await client.reserve(1, health="shaky")

    assert asyncio.run(reserve()) == ["e661"]
    serving.until(lambda: boards(serving, health="shaky")["e661"]["free"])
    with PulseCountClient(serving.url, "blocking", key=key) as client:
        part = {"count": 1, "kind": "variance", "selector": {"health": "shaky"}}
        assert client.reserve(1, health="good", firmware="pulse_count", together=[part]) == ["e660", "e661"]
        with pytest.raises(FarmError) as error:
            client.reserve(1, health="broken")
        assert error.value.field == "selector.health"


@pytest.mark.browser
def test_the_page(serving: Serving, sentry: BoardSentry, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{serving.url}/?key={serving.key('reader')}")
    page.goto(f"{serving.url}/boards")
    row = page.locator("#boards tr", has_text="e661")
    expect(row).to_contain_text("shaky", timeout=30_000)
    expect(page.locator("#boards tr", has_text="e662")).not_to_contain_text("shaky")
    sentry.report("e661", shaky=False)
    expect(row).not_to_contain_text("shaky", timeout=30_000)
    page.close()
