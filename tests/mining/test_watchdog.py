"""The watchdog's rules and the schedule: values in, values out."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.message import Invalid, check
from schema.playbooks import DAYS, DEEDS, WATCH, WATCHED
from sentry.mining.figures import Algorithm, Card, Figures
from sentry.mining.miner_guard import Guard
from sentry.mining.miner_plan import Plan, Program
from sentry.mining.schedule import check_schedule, is_open
from sentry.mining.watchdog import Memory, Seen, check_watch, judge, value_of


def watch(what: str, act: str = "alert", for_s: int = 60, **change: Any) -> dict[str, Any]:
    found = {"watch": what, "for_s": for_s, "act": act, **change}
    check(WATCH, found)
    return found


FIGURES = Figures(
    "any",
    algorithms=(Algorithm("a", 100.0, accepted=95, rejected=15), Algorithm("b", 5.0, accepted=0)),
    cards=(Card(hashrate=60.0, temp=70, mem_temp=90), Card(hashrate=0.0, temp=75), Card()),
    power=200,
)


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("hashrate", 100), ("gpus", 2), ("temperature", 75), ("mem_temperature", 90), ("power", 200), ("silence", 7),
        ("rejects", 50),
    ],
)  # fmt: skip
def test_what_is_looked_at(what: str, value: float) -> None:
    assert value_of(watch(what, above=1), Seen(FIGURES, 7, (85, 5))) == value
    if what != "silence":
        assert value_of(watch(what, above=1), Seen(None, 7)) is None
    assert {"hashrate", "gpus", "temperature", "mem_temperature", "power", "silence", "rejects"} == set(WATCHED)


def test_a_processor_is_no_card_and_half_an_answer_tells_of_none() -> None:
    cards = (Card("CPU", 500.0, processor=True), Card("GPU", 5e6), Card("GPU", 0.0))
    rule = watch("gpus", below=2)
    assert value_of(rule, Seen(Figures("x", cards=cards))) == 1
    assert value_of(rule, Seen(Figures("x", cards=cards, extra={"incomplete": True}))) is None


def test_too_few_shares_and_a_restarted_counter_say_nothing() -> None:
    for since in ((95, 10), (100, 0), (90, 16)):
        assert value_of(watch("rejects", above=5), Seen(FIGURES, 0, since)) is None


steps = st.lists(
    st.tuples(st.floats(0.5, 100), st.none() | st.floats(-1e6, 1e6, allow_nan=False)), min_size=1, max_size=60
)


@given(
    steps, st.sampled_from(DEEDS), st.integers(0, 300), st.floats(-1e6, 1e6), st.sampled_from(["below", "above"]),
    st.integers(1, 5),
)  # fmt: skip
def test_the_rule_acts_only_after_its_time_and_within_its_limit(
    seen: list[tuple[float, float | None]], act: str, for_s: int, bound: float, which: str, per_hour: int
) -> None:
    rule = watch("hashrate", act, for_s, per_hour=per_hour, **{which: bound})
    memory, now, stands, deeds = Memory(), 0.0, False, list[float]()
    wrong_since: float | None = None
    for wait, value in seen:
        now += wait
        if value is not None:
            wrong = value < bound if which == "below" else value > bound
            wrong_since = (now if wrong_since is None else wrong_since) if wrong else None
        recent = sum(now - at < 3600 for at in deeds)
        memory, verdict = judge(rule, memory, value, now, 0, recent)
        if verdict is None:
            # a wrong that lasted is never passed over
            if value is not None and wrong_since is not None and now - wrong_since >= for_s:
                assert stands
            continue
        if verdict.alert == "":
            assert stands
            assert wrong_since is None
            stands = False
            continue
        stands = True
        assert wrong_since is not None
        assert now - wrong_since >= for_s
        if verdict.deed:
            assert act != "alert"
            assert recent < per_hour
            deeds.append(now)
            wrong_since = now  # it has to last once more
    assert memory.raised == stands


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (
            {"watch": "hashrate", "for_s": 1, "act": "alert"},
            "watchdog.below: this or `above` must be given for hashrate",
        ),
        ({"watch": "power", "below": 1, "above": 2, "for_s": 1, "act": "alert"}, "either this or `above`"),
    ],
)
def test_a_rule_without_sense_is_named(rule: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        check_watch(rule)
    check_watch({"watch": "gpus", "for_s": 1, "act": "alert"})


def test_two_rules_on_one_thing_share_an_alert() -> None:
    rules = [watch("temperature", above=70, for_s=0), watch("temperature", "stop", above=80, for_s=0)]
    program = Program("", "/bin/x", "", "none", "x", "x")
    plan = Plan("gpu", {"watchdog": rules, "gpus": 1}, program, "", 0, "", 30)
    said: list[tuple[str, str]] = []
    guard = Guard(plan, lambda alarm: said.append((alarm.name, alarm.text)), lambda _: 0)
    assert [name for name, _ in said] == ["miner-gpu-crash", "miner-gpu-temperature"]
    assert guard.look(Figures("x", cards=(Card(temp=75),)), 0, 1) == []
    ((rule, deed, _),) = guard.look(Figures("x", cards=(Card(temp=85),)), 0, 2)
    assert (rule, deed) == ("gpu-1", "stop")
    assert said[-1][1].count("temperature") == 2
    guard.look(Figures("x", cards=(Card(temp=75),)), 0, 3)
    assert said[-1][1].count("temperature") == 1
    guard.look(Figures("x", cards=(Card(temp=60),)), 0, 4)
    assert said[-1] == ("miner-gpu-temperature", "")


def window(begin: str, end: str, *days: str) -> dict[str, Any]:
    return {"days": list(days), "from": begin, "to": end}


MONDAY = datetime(2026, 3, 2)


def test_windows() -> None:
    night = [window("22:00", "06:00", "sun", "mon")]
    at = {hour: is_open(night, MONDAY + timedelta(hours=hour)) for hour in (0, 5.99, 6, 21.99, 22, 24, 29.99, 30, 46)}
    assert at == {0: True, 5.99: True, 6: False, 21.99: False, 22: True, 24: True, 29.99: True, 30: False, 46: False}
    assert is_open([], MONDAY)
    assert all(is_open([window("08:00", "08:00")], MONDAY + timedelta(hours=hour)) for hour in range(24))
    # summer time: the clock goes from 02:00 to 03:00, and back from 03:00 to 02:00
    assert is_open([window("02:30", "04:00", "sun")], datetime(2026, 3, 29, 3, 0))
    assert all(is_open([window("02:00", "02:30")], datetime(2026, 10, 25, 2, 15, fold=fold)) for fold in (0, 1))
    for wrong in ("24:00", "7:00", "07:60", "0\u0667:00"):
        with pytest.raises(Invalid, match=r"schedule\.to: must be HH:MM"):
            check_schedule([window("07:00", wrong)])


clocks = st.times().map(lambda at: f"{at:%H:%M}")


@given(clocks, clocks, st.lists(st.sampled_from(DAYS), unique=True), st.integers(0, 7 * 24 * 60 - 1))
def test_a_window_is_open_from_its_begin_to_its_end(begin: str, end: str, days: list[str], minute: int) -> None:
    """As found by walking back, minute by minute, to the last begin or end."""
    at = MONDAY + timedelta(minutes=minute)
    back = next(n for n in range(24 * 60) if f"{at - timedelta(minutes=n):%H:%M}" == begin)
    length = (int(end[:2]) * 60 + int(end[3:]) - int(begin[:2]) * 60 - int(begin[3:])) % (24 * 60) or 24 * 60
    day = DAYS[(at - timedelta(minutes=back)).weekday()]
    assert is_open([window(begin, end, *days)], at) == (back < length and (not days or day in days))
