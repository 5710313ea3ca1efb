"""What is told where: pure."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from commander.effects import Moment
from commander.fleet import notices, notifiers
from commander.projection import Projection
from commander.tables import keys

KEYS = [("n-1", "self", "a"), ("n-1", "gpu-0", "b"), ("n-2", "self", "a")]


def farm_with(severity: str = "warning", after_s: int = 0) -> Projection:
    farm = Projection(keys())
    for put in notifiers.set_notifier(farm, "out", "mqtt", {}, severity, after_s, moment(0)):
        if hasattr(put, "key"):
            farm.apply(put)  # type: ignore[arg-type]
    return farm


def moment(now: int) -> Moment:
    return Moment(now, lambda count: b"x" * count, by="test")


def alert(farm: Projection, key: tuple[str, str, str], severity: str, since: int) -> None:
    node, device, name = key
    farm["alert"][key] = {
        **{"node": node, "device": device, "name": name, "since": since, "severity": severity},
        **{"text": f"{name} is wrong", "source": "node"},
    }


def tell(farm: Projection, now: int) -> list[dict[str, Any]]:
    """What is told now, and noted."""
    found = notices.due(farm, now)
    for notice in found:
        for put in notice.told:
            farm.apply(put)  # type: ignore[arg-type]
    return [each for notice in found for each in notice.alerts]


STEPS = st.tuples(st.sampled_from(KEYS), st.sampled_from(["", *notices.SEVERITIES]), st.booleans())


@given(st.lists(STEPS, max_size=40), st.sampled_from(notices.SEVERITIES))
def test_each_alert_is_told_once_when_raised_and_once_when_cleared(steps: list[Any], least: str) -> None:
    farm = farm_with(least)
    known: set[Any] = set()
    for now, (key, severity, look) in enumerate(steps, 1):
        if severity:
            since = farm["alert"][key]["since"] if key in farm["alert"] else now
            alert(farm, key, severity, since)
        else:
            farm["alert"].pop(key, None)
        if look:
            for each in tell(farm, now):
                place = (each["node"], each["device"], each["name"])
                if each["what"] == "raised":
                    assert farm["alert"][place]["severity"] == each["severity"]
                    known.add(place)
                else:
                    known.remove(place)  # nothing is cleared that was not raised
            assert tell(farm, now) == []
    tell(farm, 1_000)
    rank = notices.SEVERITIES.index
    bad = {key for key, row in farm["alert"].items() if rank(row["severity"]) >= rank(least)}
    assert {key[1:] for key in farm["notified"]} == bad


def test_what_passes_by_itself_is_not_told() -> None:
    farm = farm_with(after_s=10)
    alert(farm, KEYS[0], "error", 1_000)
    assert tell(farm, 10_999) == []
    assert [each["what"] for each in tell(farm, 11_000)] == ["raised"]
    alert(farm, KEYS[1], "error", 12_000)
    del farm["alert"][KEYS[1]]
    assert tell(farm, 30_000) == []


def test_a_worse_one_is_told_again_and_a_better_one_not() -> None:
    farm = farm_with()
    alert(farm, KEYS[0], "warning", 1)
    assert len(tell(farm, 2)) == 1
    alert(farm, KEYS[0], "critical", 1)
    assert [each["severity"] for each in tell(farm, 3)] == ["critical"]
    alert(farm, KEYS[0], "error", 1)
    assert tell(farm, 4) == []
    alert(farm, KEYS[0], "info", 1)  # below what this output tells
    assert [each["what"] for each in tell(farm, 5)] == ["cleared"]


def test_what_stands_when_an_output_is_made_is_not_told() -> None:
    farm = farm_with()
    del farm["notifier"]["out"]
    alert(farm, KEYS[0], "error", 1)
    for put in notifiers.set_notifier(farm, "out", "mqtt", {}, "warning", 0, moment(5)):
        if hasattr(put, "key"):
            farm.apply(put)  # type: ignore[arg-type]
    assert tell(farm, 6) == []
    del farm["alert"][KEYS[0]]
    assert [each["what"] for each in tell(farm, 7)] == ["cleared"]


def test_a_storm_is_one_message() -> None:
    farm = farm_with()
    for number in range(200):
        alert(farm, (f"n-{number}", "self", "a"), "error" if number else "critical", number)
    (notice,) = notices.due(farm, 1_000)
    assert notice.title == "critical: n-0 and 199 more"
    assert notice.severity == "critical"
    assert notice.text.splitlines()[-1] == "... and 180 more"
    assert len(notice.alerts) == len(notice.told) == 200
