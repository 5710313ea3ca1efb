"""Presence: the retained word, the way to the node, when it was heard; never one of them alone."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commander.effects import Put
from commander.fleet import rules, senders
from commander.fleet.presence import HEARD_STEP_MS, PRESENCES, listening_since, presence
from commander.projection import Projection
from schema.fleet import STATES
from tests.commander.line import NOW, applied, door, node_row, small_farm

ALIVE = 5_000
SINCE = NOW - 60_000


def farm_with(
    word: str,
    heard: int | None,
    door_up: bool = True,
    link: bool | None = True,
    since: int = SINCE,
    said: int = NOW,
) -> Projection:
    """`said`: when the word came."""
    farm = small_farm()
    farm["node"] = {"rig-9": node_row("rig-9", "barn", state=word, state_at=said, alive_ms=ALIVE)}
    farm["door"]["barn"] = door("barn", ("barn-house",), door_up, since)
    if link is not None:
        farm["link"]["barn-house"] = {"name": "barn-house", "up": link, "since": since}
    if heard is not None:
        farm["heard"]["rig-9"] = {"node": "rig-9", "ts": heard}
    return farm


def seen(farm: Projection, now: int = NOW) -> str:
    return presence(farm, farm["node"]["rig-9"], now)


@pytest.mark.parametrize(
    ("word", "heard", "more", "expected"),
    [
        ("ready", NOW - 100, {}, "ready"),
        ("init", NOW - 100, {}, "init"),
        ("sleeping", NOW - 100, {}, "sleeping"),
        ("", NOW, {}, "new"),
        ("lost", NOW, {}, "lost"),
        ("disconnected", NOW, {}, "disconnected"),
        ("disconnected", NOW, {"said": NOW - HEARD_STEP_MS}, "disconnected"),
        ("disconnected", NOW, {"said": NOW - HEARD_STEP_MS - 1}, "ready"),
        ("lost", NOW - ALIVE, {"said": NOW - 50_000}, "ready"),
        ("lost", NOW - ALIVE - HEARD_STEP_MS - 1, {"said": NOW - 50_000}, "lost"),
        ("lost", NOW, {"said": NOW - 50_000, "link": False}, "unreachable"),
        ("ready", NOW - ALIVE - HEARD_STEP_MS - 1, {}, "lost"),
        ("sleeping", NOW - ALIVE - HEARD_STEP_MS - 1, {}, "lost"),
        ("ready", None, {}, "lost"),
        ("ready", NOW, {"link": False}, "unreachable"),
        ("ready", NOW, {"link": None}, "unreachable"),
        ("ready", NOW, {"door_up": False}, "unreachable"),
        ("lost", NOW, {"link": False}, "unreachable"),
        ("ready", NOW - 2_000, {"since": NOW - 1_000}, "unheard"),
        ("ready", NOW - 500, {"since": NOW - 1_000}, "ready"),
        ("ready", None, {"since": NOW - 1_000}, "unheard"),
    ],
)
def test_table(word: str, heard: int | None, more: dict[str, Any], expected: str) -> None:
    assert seen(farm_with(word, heard, **more)) == expected


@settings(max_examples=300)
@given(
    word=st.sampled_from(["", *STATES]),
    heard=st.none() | st.integers(NOW - 20_000, NOW),
    door_up=st.booleans(),
    link=st.none() | st.booleans(),
    since=st.integers(NOW - 20_000, NOW),
    said=st.integers(NOW - 20_000, NOW),
)
def test_ready_only_with_a_way_and_a_voice(
    word: str, heard: int | None, door_up: bool, link: bool | None, since: int, said: int
) -> None:
    farm = farm_with(word, heard, door_up, link, since, said)
    shown = seen(farm)
    assert shown in PRESENCES
    if shown in ("ready", "init", "sleeping"):
        assert word == shown or (shown == "ready" and word in ("lost", "disconnected") and (heard or 0) > said)
        assert listening_since(farm, "barn") is not None
        assert heard is not None
        assert heard >= since
        assert NOW - heard <= ALIVE + HEARD_STEP_MS


def test_a_domain_that_left_farm_toml_is_unreachable() -> None:
    farm = farm_with("ready", NOW)
    del farm["door"]["barn"]
    assert seen(farm) == "unreachable"


def test_changes_are_told_once_and_raise_an_alert() -> None:
    farm = farm_with("ready", NOW)
    for now, expected, alert in (
        (NOW, "ready", False),
        (NOW + 60_000, "lost", True),
        (NOW + 61_000, "lost", True),
    ):
        effects = rules.on_tick(farm, now)
        assert effects == rules.on_tick(farm, now)
        farm = applied(farm, effects)
        assert farm["node"]["rig-9"]["shown"] == expected
        assert (("rig-9", "self", "absent") in farm["alert"]) == alert
    assert not rules.on_tick(farm, NOW + 62_000)
    farm.apply(Put("heard", "rig-9", {"node": "rig-9", "ts": NOW + 63_000}))
    farm = applied(farm, rules.on_tick(farm, NOW + 63_000))
    assert farm["node"]["rig-9"]["shown"] == "ready"
    assert not farm["alert"]


def test_a_heartbeat_proves_the_bridges_on_its_way() -> None:
    late = farm_with("ready", None, link=False, since=NOW - 10_000)
    [put] = senders.way_is_open(late, "barn", NOW)
    assert put == Put("link", "barn-house", {"name": "barn-house", "up": True, "since": NOW})
    assert senders.way_is_open(applied(late, [put]), "barn", NOW) == []


def test_what_was_under_way_when_a_bridge_broke_proves_nothing() -> None:
    assert senders.way_is_open(farm_with("ready", None, link=False, since=NOW - 1_000), "barn", NOW) == []
