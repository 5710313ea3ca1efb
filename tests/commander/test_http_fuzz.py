"""Whatever is asked, the API answers with an answer of its own, never a 500."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.commander.api import ROUTES, Machine
from tests.commander.serving import Serving

pytestmark = pytest.mark.broker

WEIRD = (
    st.text(max_size=8)
    | st.integers().map(str)
    | st.sampled_from(["0", "-1", "1e3", "nan", "\x00", "true", "9" * 40, "'", "%"])
)


@pytest.fixture(scope="module", autouse=True)
def rig(serving: Serving, machine: Machine) -> None:
    """Slaves whose figures are none: any node can say so."""
    machine.mined("avr-11", server=7, state=None, hashrate=1e300, accepted="many", busy_pct=True, requests=-1)
    machine.mined("avr-12", server="x" * 99, hashrate=2**60, accepted=1e289, requests=0, request_wait_ms=0.5)
    machine.mined("odd", server="", accepted=-5)
    machine.mined("miner-a", "miner", state=5, hashrate="fast", algorithm=7, accepted=1e289, power=True)
    machine.mined("asic-a", "miner", state="online", hashrate=1e300, algorithm="\x7f", accepted=-1, power=-5)
    machine.mined("asic-a", "card-0", temp="warm")
    serving.until(lambda: serving.get("/mining/miners")["total"] == 2)
    serving.until(lambda: serving.get("/mining/rigs")["total"])
    serving.until(lambda: serving.get("/mining/rigs/m-1")["totals"]["known"] == 3)


@settings(max_examples=60)
@given(random=st.data())
def test_no_query_ends_in_a_500(serving: Serving, machine: Machine, random: st.DataObject) -> None:
    known = sorted(entry for entry in ROUTES if entry.startswith("GET") and entry != "GET /live")
    entry = random.draw(st.sampled_from(known))
    route = ROUTES[entry]
    names = [each.alias for each in route.dependant.query_params]
    query = random.draw(st.dictionaries(st.sampled_from([*names, "other"]), WEIRD, max_size=4))
    level = random.draw(st.just("m-1") | WEIRD.filter(lambda text: text not in ("", ".", "..")))
    path = re.sub(r"{\w+}", lambda _: quote(level, safe=""), route.path)
    answer = serving.admin.get(path, params=query)
    assert answer.status_code in (200, 307, 404, 422), f"{answer.request.url}: {answer.status_code} {answer.text}"
    if answer.status_code == 422:
        assert answer.json()["error"]["field"] in {*names, "node", "device", "command_id"}


@settings(max_examples=40)
@given(
    entry=st.sampled_from(
        [
            "POST /tokens",
            "POST /keys",
            "POST /nodes/m-1/commands",
            "PUT /nodes/m-1/desired/a",
            "PUT /mining/labels/m-1",
            "POST /boards/leases",
            "PUT /mining/templates/pool/a",
            "PUT /mining/playbooks/a",
            "POST /mining/playbooks/preview",
        ]
    ),
    body=st.dictionaries(
        st.sampled_from(
            [
                "name",
                "role",
                "domain",
                "kind",
                "ttl_s",
                "args",
                "timeout_s",
                "data",
                "if_rev",
                "canary",
                "tags",
                "group",
                "count",
                "serials",
                "selector",
            ]
        ),
        st.none()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from(["house", "esp", "reader", "ping", "\x00"])
        | st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2),
        max_size=5,
    ),
)
def test_no_body_ends_in_a_500(serving: Serving, machine: Machine, entry: str, body: dict[str, Any]) -> None:
    method, path = entry.split(" ")
    answer = serving.admin.request(method, f"/api/v1{path}", json=body)
    assert answer.status_code in (200, 201, 403, 409, 422), answer.text
    if answer.is_error:
        assert answer.json()["error"]["field"]
    assert serving.nobody.get("/readyz").status_code == 200
