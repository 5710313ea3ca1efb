"""What the clients of iCEFARM ask of the gateway over HTTP."""

from typing import Any

import httpx
import pytest

from commander.icefarm_edge import Gateway
from commander.service import NotReady
from tests.boards.icefarm.asking import SERIALS, ask, lease_of, refused
from tests.commander.serving import Serving

pytestmark = pytest.mark.broker


def test_reserving_extending_and_ending(http: httpx.Client, serving: Serving) -> None:
    assert ask(http, "/available") == {"amount": 4}
    assert http.get("/devices").json() == SERIALS
    args = {"flush_interval_seconds": 10, "flush_at_bitstreams_remaining": 25, "send_waveform": True}
    rows = ask(http, "/reserve", name="ann", amount=2, kind="variance", args=args)
    place = {"ip": "127.0.0.1", "serverport": http.base_url.port, "url": str(http.base_url).rstrip("/")}
    mine = [row["serial"] for row in rows]
    assert rows == [{"serial": serial, **place} for serial in mine]
    lease = lease_of(serving, "ann")
    assert (lease["user"], lease["kind"], lease["args"], lease["length_s"]) == ("icefarm", "variance", {}, 3600)
    (other,) = set(ask(http, "/devices")) - {"e663"}
    (row,) = http.post("/reserveserials", json={"name": "ann", "kind": "pulsecount", "serials": ["E663"]}).json()
    assert row["serial"] == "e663"
    assert ask(http, "/extend", name="ann", serials=[mine[1].upper(), other]) == [mine[1]]
    assert lease_of_boards(serving, mine)["until"] > lease["until"]
    assert sorted(ask(http, "/extendall", name="ann")) == sorted([*mine, "e663"])
    assert ask(http, "/end", name="ann", serials=[mine[0], other]) == [mine[0]]
    serving.until(lambda: mine[0] in ask(http, "/devices"))
    assert sorted(ask(http, "/endall", name="ann")) == sorted([mine[1], "e663"])
    assert ask(http, "/endall", name="ann") == []


def lease_of_boards(serving: Serving, serials: list[str]) -> Any:
    rows = serving.get("/boards/leases", state="active")["items"]
    return next(row for row in rows if {board["serial"] for board in row["boards"]} == set(serials))


def test_the_address_is_the_one_that_the_client_used(http: httpx.Client) -> None:
    for host, ip, port in (("farm.example:81", "farm.example", 81), ("farm.example", "farm.example", 80)):
        wish = {"name": "ann", "amount": 1, "kind": "pulsecount", "args": {}}
        (row,) = http.request("GET", "/reserve", json=wish, headers={"Host": host}).json()
        assert (row["ip"], row["serverport"], row["url"]) == (ip, port, f"http://{ip}:{port}")


def test_another_name_has_no_say(http: httpx.Client, serving: Serving) -> None:
    (row,) = ask(http, "/reserve", name="ann", amount=1, kind="pulsecount", args={})
    serials = [row["serial"]]
    for path in ("/end", "/extend"):
        assert ask(http, path, name="bob", serials=serials) == []
    for path in ("/endall", "/extendall"):
        assert ask(http, path, name="bob") == []
    assert lease_of(serving, "ann")["state"] == "active"


def test_boards_of_users_of_the_farm_are_out_of_reach(http: httpx.Client, serving: Serving) -> None:
    wish = {"kind": "pulsecount", "serials": ["e660"]}
    assert serving.operator.post("/api/v1/boards/leases", json=wish).status_code == 201
    (row,) = ask(http, "/reserve", name="ann", amount=1, kind="pulsecount", args={})
    for path in ("/reboot", "/delete"):
        assert ask(http, path, serials=["e660", "e663" if row["serial"] != "e663" else "e662", "none"]) == []
        assert ask(http, path, serials=[row["serial"].upper()]) == [row["serial"]]
    assert ask(http, "/end", name="ann", serials=["e660"]) == []
    assert ask(http, "/reboot", serials=[]) == []


def test_what_is_refused_names_the_field(http: httpx.Client) -> None:
    good = {"name": "ann", "amount": 1, "kind": "pulsecount", "args": {}}
    for change, field in (
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"amount": 0}, "amount"),
        ({"amount": "many"}, "amount"),
        ({"kind": "none"}, "kind"),
        ({"args": []}, "args"),
        ({"args": {"x": "y" * 600}}, "args"),
    ):
        assert refused(http, "/reserve", **{**good, **change}) == (422, field)
    assert refused(http, "/reserve", name="ann") == (422, "kind")
    assert refused(http, "/reserve", **{**good, "amount": 5})[1] == "count"
    assert refused(http, "/reserveserials", name="ann", kind="pulsecount", serials=[]) == (422, "serials")
    assert refused(http, "/reserveserials", name="ann", kind="pulsecount", serials=["none"]) == (422, "serials")
    assert refused(http, "/end", name="ann", serials="e660") == (422, "serials")
    assert refused(http, "/clear-workers")[0] == 403
    for body in (b"{", b"[1]", b"\xff", b"null", b"[" * 100_000):
        answer = http.request("GET", "/endall", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), answer.text
    assert http.request("GET", "/endall", content=b'{"name": "ann"}').status_code == 422  # as a page could send it
    assert ask(http, "/available") == {"amount": 4}


def test_its_page_links_to_the_farms_own(http: httpx.Client, serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    page = http.get("/")
    assert f'PulseCountClient("{str(http.base_url).rstrip("/")}"' in page.text.replace("&quot;", '"')
    assert f'<a href="{serving.url}/boards">' in page.text
    assert serving.reader.get("/boards").status_code == 200
    monkeypatch.setattr(serving.service.settings, "http", "0.0.0.0:81")
    assert '<a href="http://farm.example:81/boards">' in http.get("/", headers={"Host": "farm.example:8090"}).text


def test_now_or_not_at_all(http: httpx.Client, serving: Serving) -> None:
    good = {"name": "ann", "kind": "pulsecount", "args": {}}
    ask(http, "/reserve", amount=4, **good)
    assert refused(http, "/reserve", amount=1, **good) == (409, "wait")
    assert serving.get("/boards/leases", state="waiting")["items"] == []


def test_a_port_that_is_taken_names_the_setting(serving: Serving, url: str) -> None:
    for address in (url.removeprefix("http://"), "nonsense", "127.0.0.1:port", "127.0.0.1:70000"):
        with pytest.raises(NotReady, match="FARMHAND_ICEFARM"):
            Gateway(serving.service, address)
