"""Rules: pure, and clear about what they refuse."""

import copy
from typing import Any

import pytest

from commander.effects import Add, Effects, Put
from commander.fleet import rules
from commander.projection import Projection
from schema import fleet
from schema.message import Invalid
from schema.topics import Address
from tests.commander.line import NOW, PARTS, applied, moment, node_row, puts, small_farm

BIRTH = {
    "schema": 1,
    "boot": "b2",
    "kind": "cpu-gpu",
    "software": "s",
    "alive_ms": 900,
    "parts": PARTS,
}
STREAMED = {"ts": NOW, "stream": "s", "seq": 1}
CASES: dict[str, tuple[str, Any]] = {
    "state": ("", "sleeping"),
    "info": ("", BIRTH),
    "tele": ("host", {**STREAMED, "cpu": 5}),
    "latest": ("host", {"ts": NOW, "cpu": 5}),
    "evt": ("started", {**STREAMED, "why": "test"}),
    "evt/gap": ("gap", {"ts": NOW, "stream": "s", "from": 1, "to": 4, "why": "full"}),
    "evt/refused": ("refused", {**STREAMED, "topic": "t", "field": "f", "problem": "p"}),
    "evt/auth-refused": ("auth-refused", {**STREAMED, "client": "c", "count": 2}),
    "alert": ("hot", {"since": 1, "severity": "error", "text": "too hot"}),
    "reported": ("settings", {"rev": 1, "status": "applied"}),
    "ack": ("c-1", {"id": "c-1", "status": "done", "result": 5}),
    "blob/get": ("", {"sha256": "0" * 64, "offset": 0, "size": 1}),
    "log": ("", {"ts": 0, "level": "info", "text": "line"}),
    "bridge": ("barn-house", "1"),
}
COMMAND = {"id": "c-1", "node": "rig-1", "status": "sent", "exp": NOW + 1, "name": "ping"}


@pytest.fixture
def farm() -> Projection:
    farm = small_farm()
    farm.apply(Put("command", "c-1", COMMAND))
    return farm


def at(key: str, name: str = "", **change: str) -> Address:
    levels: dict[str, str] = {
        "domain": "house",
        "node": "rig-1",
        "device": "self",
        "name": name,
        **change,
    }
    return Address(key.partition("/")[0], **levels)


def run(farm: Projection, key: str, data: Any, name: str = "", now: int = NOW, **change: str) -> Effects:
    return rules.RULES[key](farm, at(key, name, **change), data, moment(now))


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == set(rules.RULES)
    assert set(rules.RULES) <= set(fleet.MESSAGES)


@pytest.mark.parametrize("key", CASES)
def test_rules_are_pure_and_a_repetition_changes_nothing(farm: Projection, key: str) -> None:
    name, data = CASES[key]
    before = copy.deepcopy(farm)
    effects = run(farm, key, data, name)
    assert effects == run(farm, key, data, name)
    assert farm == before
    assert effects
    again = run(applied(farm, effects), key, data, name)
    if key in ("log", "reported", "blob/get"):
        return  # QoS 0 without a seq, a row that is put as it was, and a question that is answered again
    assert not again


@pytest.mark.parametrize("key", [key for key in CASES if key != "bridge"])
@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"node": "ghost"}, "topic.node", "ghost is not enrolled"),
        ({"domain": "barn"}, "topic.domain", "rig-1 is enrolled in house, not in barn"),
    ],
)
def test_strangers_are_refused(farm: Projection, key: str, change: dict[str, str], field: str, problem: str) -> None:
    name, data = CASES[key]
    with pytest.raises(Invalid) as refused:
        run(farm, key, data, name, **change)
    assert (refused.value.field, refused.value.problem) == (field, problem)


@pytest.mark.parametrize(
    ("part", "values", "field", "problem"),
    [
        ("gpu", {"cpu": 1}, "topic.name", "part gpu is not in the node's birth; announced: host"),
        ("host", {"colour": 1}, "colour", "unknown field of part host; announced: cpu, note"),
        ("host", {"cpu": "hot"}, "cpu", "must be a number in %"),
        ("host", {"cpu": True}, "cpu", "must be a number in %"),
        ("host", {"cpu": 1, "seq": 5}, "stream", "missing beside seq"),
    ],
)
def test_telemetry_that_is_refused(
    farm: Projection, part: str, values: dict[str, Any], field: str, problem: str
) -> None:
    with pytest.raises(Invalid) as refused:
        run(farm, "tele", {"ts": NOW, **values}, part)
    assert (refused.value.field, refused.value.problem) == (field, problem)


def test_telemetry_that_is_taken(farm: Projection) -> None:
    for values in ({"cpu": None}, {"cpu": 1.5, "note": "word"}, {"note": True}, {}):
        assert run(farm, "tele", {"ts": NOW, **values}, "host")
    assert run(farm, "tele", {"ts": 0, "anything": 1}, "before-the-birth", node="rig-2", domain="barn")


def test_the_latest_value_is_the_newest_not_the_last(farm: Projection) -> None:
    for ts, cpu in ((NOW, 1), (NOW - 5, 2), (NOW + 5, 3), (NOW + 4, 4)):
        farm = applied(farm, run(farm, "tele", {"ts": ts, "cpu": cpu}, "host"))
    assert [row["data"] for row in farm["latest"].values()] == [{"cpu": 3}]


def test_what_proves_that_a_node_is_alive(farm: Projection) -> None:
    assert puts(run(farm, "tele", {"ts": 5, "cpu": 1}, "host"), "heard")
    assert puts(run(farm, "evt", STREAMED, "x"), "heard")
    assert not puts(run(farm, "evt", {**STREAMED, "ts": NOW - 60_000}, "x"), "heard"), "it came out of a queue"
    retained = rules.on_log(farm, at("log"), CASES["log"][1], moment(retained=True))
    assert not puts(retained, "heard")
    farm = applied(farm, run(farm, "log", CASES["log"][1]))
    assert not puts(run(farm, "log", CASES["log"][1], now=NOW + 500), "heard"), "at most once a second"


def test_gaps_move_the_mark_over_themselves_only(farm: Projection) -> None:
    farm = applied(
        farm,
        run(farm, "evt/gap", {"ts": 0, "stream": "s", "from": 3, "to": 5, "why": "full"}, "gap"),
    )
    (row,) = farm["stream"].values()
    assert (row["mark"], row["ahead"]) == (0, [[3, 5]])
    assert farm["alert"]["rig-1", "self", "gap"]["text"] == "3 events given up: full"
    with pytest.raises(Invalid, match="to: must not be below"):
        run(farm, "evt/gap", {"ts": 0, "stream": "s", "from": 3, "to": 2, "why": ""}, "gap")
    for seq in (1, 2):
        farm = applied(farm, run(farm, "evt", {**STREAMED, "seq": seq}, "x"))
    (row,) = farm["stream"].values()
    assert (row["mark"], row["ahead"]) == (5, [])


def test_streams_of_two_nodes_are_two(farm: Projection) -> None:
    farm.apply(Put("node", "rig-3", node_row("rig-3")))
    for node in ("rig-1", "rig-3"):
        farm = applied(farm, run(farm, "evt", STREAMED, "x", node=node))
    assert [row["mark"] for row in farm["stream"].values()] == [1, 1]


def test_alerts_stand_until_they_are_cleared(farm: Projection) -> None:
    farm = applied(farm, run(farm, "alert", CASES["alert"][1], "hot"))
    assert farm["alert"]["rig-1", "self", "hot"]["source"] == "node"
    farm = applied(farm, run(farm, "alert", None, "hot"))
    assert not farm["alert"]
    assert not run(farm, "alert", None, "hot")


def test_acknowledgements(farm: Projection) -> None:
    with pytest.raises(Invalid, match="id: no command of that id"):
        run(farm, "ack", {"id": "c-9", "status": "done"}, "c-9")
    farm.apply(Put("node", "rig-3", node_row("rig-3")))
    with pytest.raises(Invalid, match="id: no command of that id"):
        run(farm, "ack", {"id": "c-1", "status": "done"}, "c-1", node="rig-3")
    for status, expected in (
        ("accepted", "accepted"),
        ("progress", "progress"),
        ("done", "done"),
        ("failed", "done"),
    ):
        farm = applied(farm, run(farm, "ack", {"id": "c-1", "status": status}, "c-1"))
        assert farm["command"]["c-1"]["status"] == expected


def test_a_command_ends_with_the_start_that_it_was_for(farm: Projection) -> None:
    for name, more in (("c-2", {"name": "restart"}), ("c-3", {"node": "rig-2"}), ("c-4", {"status": "done"})):
        farm.apply(Put("command", name, {**COMMAND, "id": name, **more}))
    assert not puts(run(farm, "info", {**BIRTH, "boot": "b1"}), "command")
    (ended,) = puts(run(farm, "info", BIRTH), "command")
    assert (ended["id"], ended["status"], ended["code"]) == ("c-1", "failed", "restarted")


def test_a_command_runs_out_of_time(farm: Projection) -> None:
    assert not puts(rules.on_tick(farm, NOW + 1), "command")
    (row,) = puts(rules.on_tick(farm, NOW + 2), "command")
    assert row is not None
    assert row["status"] == "timeout"


def test_a_refusal_by_a_node_is_shown(farm: Projection) -> None:
    effects = run(farm, "evt/refused", CASES["evt/refused"][1], "refused")
    assert [
        effect.row["problem"] for effect in effects if isinstance(effect, Add) and effect.table == "dead_letter"
    ] == ["p"]
    assert puts(effects, "alert")


def test_devices_do_not_speak_for_their_node(farm: Projection) -> None:
    said = run(farm, "state", "ready", device="asic-1")
    assert not puts(said, "node")
    farm = applied(farm, said)
    farm = applied(farm, run(farm, "info", BIRTH, device="asic-1"))
    assert farm["node"] == small_farm()["node"]
    assert farm["device"]["rig-1", "asic-1"]["info"] == BIRTH
    assert not run(farm, "state", "ready", device="asic-1")
    (gone,) = [each for each in run(farm, "state", "lost", device="asic-1") if isinstance(each, Add)]
    assert (gone.table, gone.row["device"], gone.row["data"]) == ("event", "asic-1", {"from": "ready", "to": "lost"})
