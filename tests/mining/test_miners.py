"""Miners and ASICs as they are now, and what of them needs a person."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commander.effects import Put, Row
from commander.fleet.hashes import hashed_id
from commander.mining import machines, overview
from commander.projection import Projection
from sentry.mining.figures import Algorithm, Card, Figures, readings, state_of
from tests.commander.line import NOW, node_row, small_farm

XMR = Figures(
    "xmrig", "6.22.2", 60, (Algorithm("rx/0", 1000.0, 9, 1, 0, pool="p:1", user="w"),), (Card("cpu", temp=61.0),)
)
DUAL = Figures(
    "lolminer", "1.88", 60, (Algorithm("kawpow", 4e6, 5, 0, 1), Algorithm("zil", 1e6, 1, 0)),
    (Card("a", 4e6, temp=50.0, power=100.0), Card("b", temp=55.0, power=80.0)), 180.0,
)  # fmt: skip
S19 = Figures("cgminer", "49", 60, (Algorithm("sha256", 100e12, 90, 10),), power=3000.0, extra={"model": "S19"})


@pytest.fixture
def farm() -> Projection:
    farm = small_farm()
    farm.apply(Put("heard", "rig-1", {"node": "rig-1", "ts": NOW}))
    return farm


def told(
    farm: Projection, device: str, figures: Figures | None, state: str = "", age: int = 0, node: str = "rig-1"
) -> None:
    """As the commander has it when the sentry's readings came ``age`` ms ago."""
    for reading in readings(device, state or state_of(True, figures), figures):
        latest(farm, device, reading.part, dict(reading.values), age, node)


def latest(farm: Projection, device: str, part: str, data: Row, age: int = 0, node: str = "rig-1") -> None:
    series, ts = hashed_id(node, device, part), NOW - age
    row = {"series": series, "node": node, "device": device, "part": part, "ts": ts, "received": ts, "data": data}
    farm.apply(Put("latest", series, row))


def alert(farm: Projection, name: str, node: str = "rig-1", severity: str = "warning") -> None:
    row = {
        "node": node,
        "device": "self",
        "name": name,
        "since": NOW,
        "severity": severity,
        "text": name,
        "source": "node",
    }
    farm.apply(Put("alert", (node, "self", name), row))


def document(farm: Projection, table: str, data: Any, node: str = "rig-1", doc: str = "playbooks", **more: Any) -> None:
    farm.apply(Put(table, (node, doc), {"node": node, "doc": doc, "rev": 1, "data": data, "updated": NOW, **more}))


def seen(farm: Projection) -> list[tuple[str, str]]:
    return [(each["device"], each["state"]) for each in machines.machines(farm, NOW)]


def test_what_a_sentry_reports_is_what_is_shown(farm: Projection) -> None:
    told(farm, "miner-gpu", DUAL)
    told(farm, "miner-cpu", XMR)
    cpu, gpu = machines.machines(farm, NOW)
    assert (cpu["name"], cpu["kind"], cpu["state"], cpu["presence"]) == ("cpu", "miner", "online", "ready")
    assert (cpu["software"], cpu["version"], cpu["uptime_s"], cpu["temp"]) == ("xmrig", "6.22.2", 60, 61)
    assert (cpu["algorithms"][0]["pool"], cpu["algorithms"][0]["user"], cpu["algorithms"][0]["difficulty"]) == (
        "p:1",
        "w",
        None,
    )
    assert (cpu["accepted"], cpu["rejected"], cpu["reject_pct"]) == (9, 1, 10)
    assert [each["algorithm"] for each in gpu["algorithms"]] == ["kawpow", "zil"]
    assert (gpu["accepted"], gpu["stale"], gpu["power"], gpu["more"]) == (6, 1, 180, {})
    assert gpu["hashes_per_joule"] is None, "nobody knows which of two algorithms takes how much"
    found = machines.machine(farm, "rig-1", "miner-gpu", NOW)
    assert found is not None
    assert [(card["card"], card["name"], card["power"]) for card in found["card_list"]] == [(0, "a", 100), (1, "b", 80)]
    assert machines.machine(farm, "rig-1", "miner-x", NOW) is None


def test_cards_that_were_taken_out_are_not_shown(farm: Projection) -> None:
    told(farm, "miner-gpu", DUAL, age=100_000)
    latest(farm, "miner-gpu", "card-0", {"name": "a"})
    assert [card["card"] for card in machines.cards(farm, "rig-1")["miner-gpu"]] == [0]


@pytest.mark.parametrize(
    ("said", "age", "word", "shown"),
    [
        ("online", 0, "ready", "online"),
        ("inactive", 60_000, "ready", "inactive"),
        ("idle", 0, "ready", "idle"),
        ("offline", 0, "ready", "offline"),
        ("online", 60_001, "ready", "offline"),
        ("online", 0, "lost", "offline"),
        ("dancing", 0, "ready", "offline"),
        (None, 0, "ready", "offline"),
    ],
)
def test_states(farm: Projection, said: Any, age: int, word: str, shown: str) -> None:
    farm.apply(Put("node", "rig-1", {**farm["node"]["rig-1"], "state": word, "state_at": NOW}))
    latest(farm, "miner-a", "miner", {"state": said}, age)
    assert seen(farm) == [("miner-a", shown)]


def test_what_a_playbook_no_longer_names_is_gone(farm: Projection) -> None:
    for name in ("old", "new", "going"):
        told(farm, f"miner-{name}", XMR)
    told(farm, "asic-old", S19)
    document(farm, "desired", {"miners": [{"name": "new"}]})
    document(farm, "reported", {"miners": {"going": {"state": "running"}}}, status="pending", error="")
    assert seen(farm) == [("asic-old", "online"), ("miner-going", "online"), ("miner-new", "online")]
    document(farm, "desired", {"asics": []}, doc="asics")
    assert seen(farm) == [("miner-going", "online"), ("miner-new", "online")]


def test_sums_are_of_what_is_there(farm: Projection) -> None:
    told(farm, "miner-gpu", DUAL)
    told(farm, "miner-cpu", XMR)
    told(farm, "asic-1", S19)
    told(farm, "asic-2", S19)
    told(farm, "asic-3", S19, age=61_000)
    latest(farm, "avr-9", "slave", {"server": "G", "hashrate": 3000, "accepted": 20, "refused": 5})
    found = overview.overview(farm, NOW)
    by_name = {row["algorithm"]: row for row in found["algorithms"]}
    assert list(by_name) == ["sha256", "kawpow", "DUCO-S1", "rx/0", "zil"], "most power first"
    assert (by_name["sha256"]["hashrate"], by_name["sha256"]["power"], by_name["sha256"]["miners"]) == (200e12, 6000, 2)
    assert by_name["sha256"]["hashes_per_joule"] == pytest.approx(1e12 / 30), "30 J/TH"
    assert (
        by_name["kawpow"]["hashes_per_joule"] is by_name["zil"]["power"] is by_name["rx/0"]["hashes_per_joule"] is None
    )
    assert by_name["DUCO-S1"]["hashrate"] == 3000
    assert (found["power"], found["power_known"], found["count"]["here"]) == (6180, 3, 5)
    assert found["states"] == {"online": 5, "inactive": 0, "idle": 0, "offline": 1}
    assert (found["shares"]["accepted"], found["shares"]["rejected"]) == (90 + 90 + 9 + 6 + 20, 10 + 10 + 1 + 5)


def whats(farm: Projection) -> list[tuple[str, str, str]]:
    return [(each["what"], each["node"], each["device"]) for each in overview.overview(farm, NOW)["problems"]]


def test_problems_are_told_once_and_the_worst_first(farm: Projection) -> None:
    told(farm, "miner-a", XMR)
    told(farm, "miner-a-b", Figures("xmrig", algorithms=(Algorithm("rx/0", 0.0),)))
    told(farm, "miner-c", Figures("xmrig", algorithms=(Algorithm("rx/0", 0.0),)))
    told(farm, "miner-d", Figures("xmrig", algorithms=(Algorithm("rx/0", 0.0),), paused=True))
    told(farm, "asic-1", None, "offline")
    alert(farm, "miner-a-b-hashrate")
    alert(farm, "miner-e-crash", severity="critical")
    alert(farm, "disk")
    assert whats(farm) == [
        ("alert", "rig-1", ""),  # of a miner that has not reported
        ("offline", "rig-1", "asic-1"),
        ("inactive", "rig-1", "miner-c"),  # paused: as somebody wants it; with an alert: told already
        ("alert", "rig-1", "miner-a-b"),
    ]
    document(farm, "reported", {"miners": {"c": {"state": "starting"}}}, status="pending", error="")
    assert ("inactive", "rig-1", "miner-c") not in whats(farm), "it may take its time to begin"
    document(farm, "reported", {"miners": {"c": {"state": "failed"}}}, status="failed", error="miner c: sha256")
    assert ("playbook", "rig-1", "") in whats(farm)
    assert ("inactive", "rig-1", "miner-c") not in whats(farm)


def test_a_node_that_is_gone_is_one_problem(farm: Projection) -> None:
    farm.apply(Put("node", "hall", node_row("hall", kind="asic", state="lost")))
    for number in range(500):
        told(farm, f"asic-{number}", S19, node="hall")
    found = overview.overview(farm, NOW)
    (problem,) = found["problems"]
    assert (problem["what"], problem["node"], problem["device"], problem["kind"]) == ("offline", "hall", "", "asic")
    assert problem["text"] == "the node is lost: nothing is known of its 500 ASICs"
    assert found["states"]["offline"] == 500


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        "state",
        "hashrate",
        "hashrate_2",
        "algorithm",
        "algorithm_2",
        "accepted",
        "rejected",
        "stale",
        "power",
        "temp",
        "paused",
        "cards",
        "expected",
        "pool",
    ]
)
DATA = st.dictionaries(NAMES | st.text(max_size=6), ANYTHING, max_size=8)


@given(st.dictionaries(st.sampled_from(["miner-a", "asic-a", "a"]), DATA), DATA, ANYTHING, ANYTHING)
def test_a_stranger_can_say_what_it_likes(figures: dict[str, Row], card: Row, desired: Any, reported: Any) -> None:
    farm = small_farm()
    farm.apply(Put("heard", "rig-1", {"node": "rig-1", "ts": NOW}))
    for device, data in figures.items():
        latest(farm, device, "miner", data)
        latest(farm, device, "card-0", card)
    for data in ({"miners": desired}, desired):
        document(farm, "desired", data)
        document(farm, "reported", {"miners": reported}, status="failed", error="")
        json.dumps(overview.overview(farm, NOW), allow_nan=False)
        json.dumps([machines.machine(farm, "rig-1", device, NOW) for device in figures])
        assert machines.miner_kinds(farm) <= set(machines.KINDS)
