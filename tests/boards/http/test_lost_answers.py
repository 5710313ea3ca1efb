"""Reserving when the answer is lost on its way."""

import logging
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from farmhand_client import PulseCountClient

from tests.boards.board_sentry import BoardSentry
from tests.boards.http.asking import API, free, refused, user
from tests.commander.serving import Serving
from tests.system.relay import Relay

pytestmark = pytest.mark.broker

ID = "l-00000000000000aa"


@pytest.fixture
def relay(serving: Serving) -> Iterator[Relay]:
    made = Relay(urlsplit(serving.url).port or 80)
    yield made
    made.close()


def test_a_wish_is_made_again_with_its_id(serving: Serving, sentry: BoardSentry) -> None:
    ann, bob = user(serving, "ann"), user(serving, "bob")
    wish = {"id": ID, "kind": "pulsecount", "count": 1, "together": [{"kind": "variance"}]}
    first, again = (ann.post(f"{API}/leases", json=wish) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == ID
    assert [each["id"] for each in again.json()["together"]] == [each["id"] for each in first.json()["together"]]
    assert free(serving) == 2
    assert refused(bob.post(f"{API}/leases", json=wish)) == (409, "id")
    assert refused(ann.post(f"{API}/leases", json={**wish, "count": 2})) == (409, "id")
    assert refused(ann.post(f"{API}/leases", json={**wish, "id": "l-1"})) == (422, "id")
    assert free(serving) == 2


def test_the_client_asks_again(serving: Serving, sentry: BoardSentry, relay: Relay) -> None:
    client = PulseCountClient(
        f"http://127.0.0.1:{relay.port}", "unlucky", logging.getLogger("test"), key=serving.key("operator")
    )
    relay.lose_answer()
    one = client.reserve(1)
    assert relay.lost
    client.get_serials()
    relay.lose_answer()
    two = client.reserve(1, together=[{"count": 1, "kind": "variance"}])
    assert relay.lost
    assert len({*one, *two}) == 3
    leases = serving.get("/boards/leases", name="unlucky")["items"]
    assert sorted(board["serial"] for row in leases for board in row["boards"]) == sorted([*one, *two])
    assert len(leases) == 3
    assert sorted(client.end_all()) == sorted([*one, *two])
    client.close()
