"""Mirrors of frame streams: stored and shown like telemetry, once, whoever says them again."""

from typing import Any

import pytest

from commander.effects import Put
from commander.fleet import rules, telemetry
from commander.projection import Projection
from schema import fleet, wire
from schema.message import Invalid, check
from schema.topics import Address
from tests.commander.api import now_ms
from tests.commander.line import NOW, Line, applied, moment, puts, small_farm
from tests.commander.serving import Serving

STREAM = {"fields": ["x", "y"], "units": ["m/s2", "m/s2"], "scale": [0.01, 0.01], "frame_ms": 1000, "values": 20}
BIRTH = {
    **{"schema": 1, "boot": "b1", "kind": "esp", "software": "s", "alive_ms": 5_000},
    **{"parts": {"mpu6050": {"x": "m/s2", "y": "m/s2"}}, "streams": {"mpu6050": STREAM}},
}
AT = Address("latest", "house", "rig-1", "self", "mpu6050")


@pytest.fixture
def farm() -> Projection:
    farm = small_farm()
    return applied(farm, rules.on_info(farm, Address("info", "house", "rig-1", "self"), BIRTH, moment()))


def mirrored(farm: Projection, ts: int, now: int = NOW, retained: bool = False, **values: Any) -> Any:
    return telemetry.on_latest(farm, AT, {"ts": ts, **(values or {"x": 1.5, "y": 0})}, moment(now, retained=retained))


def test_the_birth_may_tell_of_frame_streams() -> None:
    check(fleet.INFO, BIRTH)
    with pytest.raises(Invalid, match=r"stream: unknown field; allowed: .*streams"):
        check(fleet.INFO, {**BIRTH, "stream": {}})


def test_a_mirror_is_history_and_latest_value_and_a_sign_of_life(farm: Projection) -> None:
    effects = mirrored(farm, NOW - 20)
    (latest,) = puts(effects, "latest")
    assert latest is not None
    assert (latest["part"], latest["ts"], latest["data"]) == ("mpu6050", NOW - 20, {"x": 1.5, "y": 0})
    assert [effect.row["ts"] for effect in effects if not isinstance(effect, Put)] == [NOW - 20]
    assert puts(effects, "heard")


def test_what_a_broker_says_again_is_no_new_value(farm: Projection) -> None:
    farm = applied(farm, mirrored(farm, NOW))
    for retained in (True, False):
        assert mirrored(farm, NOW, NOW + 5_000, retained) == [], "said again by a bridge or at a new subscription"
        assert mirrored(farm, NOW - 1, NOW + 5_000, retained) == []
        assert puts(mirrored(farm, NOW + 1, NOW + 5_000, retained), "latest"), "missed until now"


def test_an_old_mirror_proves_nothing(farm: Projection) -> None:
    assert not puts(mirrored(farm, NOW - 10_001), "heard")
    assert not puts(mirrored(farm, NOW, retained=True), "heard")
    assert not puts(mirrored(farm, 0), "heard"), "nobody knows when it was measured"


def test_a_clock_that_is_not_set(farm: Projection) -> None:
    (row,) = puts(mirrored(farm, 0), "latest")
    assert row is not None
    assert row["ts"] == NOW
    assert mirrored(farm, 0, retained=True) == []


def test_a_clock_that_was_ahead_does_not_keep_its_own_values_out(farm: Projection) -> None:
    farm = applied(farm, mirrored(farm, NOW + 86_400_000))
    assert puts(mirrored(farm, NOW + 1_000, NOW + 1_000), "latest")


def test_what_is_not_announced_is_refused_but_a_leftover_is_not(farm: Projection) -> None:
    for values, field in (({"z": 1}, "z"), ({"x": "fast"}, "x")):
        with pytest.raises(Invalid) as refused:
            mirrored(farm, NOW, **values)
        assert refused.value.field == field
    farm.apply(Put("node", "rig-1", {**farm["node"]["rig-1"], "parts": {}}))
    with pytest.raises(Invalid, match=r"topic\.name: part mpu6050 is not in the node's birth"):
        mirrored(farm, NOW)
    assert mirrored(farm, NOW, retained=True) == []


def test_through_the_line_each_once_and_after_a_restart(line: Line, make_line: Any) -> None:
    line.send(fleet.INFO, BIRTH)
    for ts in (NOW, NOW + 1, NOW):
        line.send(fleet.LATEST, {"ts": ts, "x": ts - NOW}, "mpu6050")
    line = make_line()
    line.send(fleet.LATEST, {"ts": NOW + 1, "x": 1}, "mpu6050", retained=True)
    line.send(fleet.LATEST, None, "mpu6050")
    assert [row["data"] for row in line.rows("telemetry")] == [{"x": 0}, {"x": 1}]
    assert not line.rows("dead_letter")
    assert line.in_memory() == line.reloaded()


@pytest.mark.broker
def test_it_is_seen_with_its_unit_over_http(serving: Serving) -> None:
    client = serving.machine("shaker")
    base = "farm/house/shaker/self/"
    client.publish(base + "info", wire.dumps(BIRTH), retain=True)
    client.publish(base + "state", "ready", retain=True)
    client.publish(base + "latest/mpu6050", wire.dumps({"ts": now_ms(), "x": 9.81, "y": -0.5}), retain=True)
    serving.until(lambda: serving.get("/nodes/shaker")["latest"])
    node = serving.get("/nodes/shaker")
    assert {**node["latest"]["self"]["mpu6050"], "ts": 0} == {"ts": 0, "x": 9.81, "y": -0.5}
    assert node["info"]["streams"] == {"mpu6050": STREAM}
    serving.until(lambda: serving.get("/nodes/shaker")["presence"] == "ready")
    serving.until(lambda: serving.get("/nodes/shaker/telemetry", part="mpu6050")["items"])
    history = serving.get("/nodes/shaker/telemetry", part="mpu6050")
    assert history["units"] == {"x": "m/s2", "y": "m/s2"}
    assert [item["values"] for item in history["items"]] == [{"x": 9.81, "y": -0.5}]
