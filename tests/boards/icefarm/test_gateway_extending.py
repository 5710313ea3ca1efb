"""When an iCEFARM client's boards are extended: its extender asks by itself, for as long as it runs."""

from collections.abc import Iterator

import httpx
import pytest

from tests.boards.board_sentry import BoardSentry
from tests.boards.icefarm.asking import ask, lease_of
from tests.boards.icefarm.clients import VERSIONS, Connect
from tests.commander.serving import Serving
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker

GOOD = {"name": "ann", "kind": "pulsecount", "args": {}}


@pytest.fixture
def an_hour_at_most(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as while_:
        while_.setattr(serving.service.settings, "board_lease_max_s", 3600)
        yield


def somebody_waits(serving: Serving) -> str:
    return serving.operator.post("/api/v1/boards/leases", json={"kind": "pulsecount"}).json()["id"]


def test_what_somebody_waits_for_is_not_extended(http: httpx.Client, serving: Serving) -> None:
    rows = ask(http, "/reserve", amount=4, **GOOD)
    serials = sorted(row["serial"] for row in rows)
    waiting = somebody_waits(serving)
    until = lease_of(serving, "ann")["until"]
    assert ask(http, "/extend", name="ann", serials=serials) == []
    assert ask(http, "/extendall", name="ann") == []
    assert lease_of(serving, "ann")["until"] == until
    serving.operator.post(f"/api/v1/boards/leases/{waiting}/end")
    assert sorted(ask(http, "/extend", name="ann", serials=serials)) == serials
    assert sorted(ask(http, "/extendall", name="ann")) == serials
    assert lease_of(serving, "ann")["until"] > until


@pytest.mark.usefixtures("an_hour_at_most")
def test_what_lasts_as_long_as_it_may_is_not_answered(http: httpx.Client) -> None:
    (row,) = ask(http, "/reserve", amount=1, **GOOD)
    assert ask(http, "/extend", name="ann", serials=[row["serial"]]) == []
    assert ask(http, "/extendall", name="ann") == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_bears_it(version: str, connect: Connect, sentry: BoardSentry, serving: Serving) -> None:
    client = connect(version, "ann")
    serials = client.call("reserve", 4)
    lease = lease_of(serving, "ann")["id"]
    waiting = somebody_waits(serving)
    sentry.event(serials[0], "ending-soon", lease)
    wait_until("its extender's word", lambda: f"failed to refresh reservation of device {serials[0]}" in client.log())
    assert client.call("extend", serials) == client.call("extendAll") == []
    serving.operator.post(f"/api/v1/boards/leases/{waiting}/end")
    sentry.event(serials[1], "ending-soon", lease)
    wait_until("its extender's word", lambda: f"refreshed reservation of {serials[1]}" in client.log())
    assert sorted(client.call("endAll")) == sorted(serials)
