"""What ASICs really answered, what they answer when they are broken, and anything else that may come."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.asics import TYPES
from sentry.mining import repair
from sentry.mining.figures import Figures, readings, state_of
from sentry.mining.miners import BadAnswer, adapter

RECORDED = Path(__file__).parent / "recorded"
ADAPTERS = tuple(name for name in TYPES if name != "pyasic")


def answers(kind: str, model: str) -> list[bytes]:
    files = [RECORDED / kind / model / f"{number}.txt" for number in range(len(adapter(kind).asks))]
    return [file.read_bytes() if file.exists() else b"" for file in files]


def read(kind: str, model: str) -> Figures:
    return adapter(kind).read(answers(kind, model))


def broken(kind: str, *got: bytes) -> str:
    """What is said of an answer that cannot be read."""
    with pytest.raises(BadAnswer) as caught:
        adapter(kind).read([*got, *[b""] * (len(adapter(kind).asks) - len(got))])
    return str(caught.value)


def test_an_antminer_s19xp() -> None:
    told = read("cgminer", "antminer-s19xp")
    algorithm = told.algorithms[0]
    assert (algorithm.name, algorithm.hashrate) == ("sha256", pytest.approx(140258.58e9))
    assert (algorithm.accepted, algorithm.rejected, algorithm.stale, algorithm.invalid) == (226146, 94, 177, 8004)
    assert (algorithm.pool, algorithm.user) == ("stratum+tcp://eu.ss.btc.com:1800", "divcr1")
    assert (told.software, told.version, told.uptime_s, told.power) == ("cgminer", "4.11.1", 331780, None)
    assert [(card.hashrate, card.temp, card.core_mhz) for card in told.cards] == [
        (47016.68e9, 75, 490.82),
        (47262.92e9, 72, 487.43),
        (45978.98e9, 74, 490.13),
    ]
    assert told.extra["model"] == "Antminer S19 XP (Vnish 1.2.0-rc1)"
    assert (told.extra["fans"], told.extra["fan_rpm"], told.extra["expected"]) == (4, 2790, 144399.77e9)


def test_an_s9_with_broken_json() -> None:
    told = read("cgminer", "antminer-s9-broken")
    assert told.hashrate == 13815.68e9
    assert [(card.name, card.hashrate, card.temp) for card in told.cards] == [
        ("board 6", 4573.66e9, 75),
        ("board 7", 4854.16e9, 76),
        ("board 8", 4574.93e9, 74),
    ]
    assert (told.extra["model"], told.extra["fans"]) == ("Antminer S9 Blissz v2.06 beta", 2)
    assert told.extra["fault"] == "BC5 0: Dev Comms Error 2"
    assert told.algorithms[0].pool == "stratum+tcp://dash-eu.coinmine.pl:6099"


def test_boards_come_from_devs_where_stats_says_nothing() -> None:
    told = adapter("cgminer").read([answers("cgminer", "antminer-s9-broken")[0], b"", b"", b""])
    assert [(card.name, card.hashrate, card.temp) for card in told.cards] == [("BC5 0", 4573660e6, 60)]


def test_a_braiins_s9() -> None:
    told = read("braiins", "s9")
    assert (told.hashrate, told.algorithms[0].name) == (15740915.8e6, "sha256")
    assert (told.software, told.version, told.uptime_s) == ("BOSminer+", "0.2.0-36c56a9363", 3680)


def test_an_iceriver_ks3m() -> None:
    told = read("iceriver", "ks3m")
    algorithm = told.algorithms[0]
    assert (algorithm.name, algorithm.hashrate) == ("kheavyhash", 6226e9)
    assert (algorithm.accepted, algorithm.rejected, algorithm.difficulty) == (3058, 76, pytest.approx(70368.74e9))
    assert algorithm.pool == "stratum+tcp://asia-kas.2miners.com:2323"
    assert [(card.hashrate, card.temp) for card in told.cards] == [(2151.38e9, 49), (2114.73e9, 126), (1960.80e9, 49)]
    assert (told.uptime_s, told.extra["model"], told.extra["fan_rpm"]) == (
        9 * 3600 + 36 * 60 + 2,
        "IceRiver KS3M",
        1028,
    )
    assert told.extra["fault"] == ""


def test_a_bitaxe() -> None:
    told = read("bitaxe", "302")
    algorithm = told.algorithms[0]
    assert algorithm.hashrate == pytest.approx(2372.7583341893742e9)
    assert (algorithm.accepted, algorithm.rejected, algorithm.pool) == (19739, 6, "public-pool.io:21496")
    assert (told.power, told.uptime_s, told.cards[0].temp) == (pytest.approx(58.35, 0.001), 212115, 58)
    assert (told.extra["model"], told.extra["firmware"]) == ("Bitaxe 302 BM1366", "v2.6.0")
    assert told.extra["fault"] == "rejected: Above target"


def test_refusals_of_cgminer_are_said_clearly() -> None:
    refusal = '{"STATUS":[{"STATUS":"E","When":1,"Code":%d,"Msg":"%s","Description":"cgminer 4"}],"id":1}\0'
    assert "access denied (code 45)" in broken("cgminer", (refusal % (45, "Access denied")).encode())
    assert "invalid command (code 14)" in broken("cgminer", (refusal % (14, "Invalid command")).encode())
    inner = json.loads((refusal % (45, "Access denied")).rstrip("\0"))
    assert "access denied" in broken("braiins", json.dumps({"summary": [inner]}).encode())


FAULTS = {
    "nothing": b"",
    "half": b'{"STATUS":[{"STATUS":"S","Code":11}],"SUMMARY":[{"Elap',
    "a page": b"<html><body>login</body></html>",
    "another API": b'{"id":1,"result":null}',
    "a list": b"[1,2]",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ADAPTERS)
def test_what_is_no_answer_is_said(kind: str, fault: str) -> None:
    assert broken(kind, FAULTS[fault])


def test_faults_of_an_iceriver() -> None:
    told = json.loads(answers("iceriver", "ks3m")[0])
    told["data"]["fanstate"] = False
    told["data"]["boards"][1]["state"] = False
    told["data"]["boards"][2]["error"] = 3
    found = adapter("iceriver").read([json.dumps(told).encode()]).extra["fault"]
    assert found == "alarm: fans; board 3: error 3; board 2: off"


def values() -> st.SearchStrategy[Any]:
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    return st.recursive(plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner))


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything that is in an answer."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for name, each in inner for path in places(each, (*here, name)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    if not isinstance(value, dict | list):  # replaced before
        return value
    copy = dict(value) if isinstance(value, dict) else dict(enumerate(value))
    copy[path[0]] = replaced(copy.get(path[0]), path[1:], new)
    return copy if isinstance(value, dict) else list(copy.values())


SAMPLES = {
    kind: answers(kind, model)
    for kind, model in (("cgminer", "antminer-s19xp"), ("iceriver", "ks3m"), ("bitaxe", "302"))
}
TOLD = {(kind, n): repair.read(got)._told for kind, all_ in SAMPLES.items() for n, got in enumerate(all_) if got}  # pyright: ignore[reportPrivateUsage]
PLACES = {key: places(told) for key, told in TOLD.items()}


@st.composite
def spoiled(draw: Any) -> tuple[str, list[bytes]]:
    """Recorded answers with some values replaced by anything, or bytes cut out and put in."""
    kind = draw(st.sampled_from(sorted(SAMPLES)))
    found = list(SAMPLES[kind])
    number = draw(st.sampled_from([n for n, got in enumerate(found) if got]))
    if draw(st.booleans()):
        told = TOLD[kind, number]
        for path, value in draw(st.lists(st.tuples(st.sampled_from(PLACES[kind, number]), values()), max_size=6)):
            told = replaced(told, path, value)
        found[number] = json.dumps(told).encode()
    else:
        at, length = draw(st.integers(0, len(found[number]))), draw(st.integers(0, 60))
        found[number] = found[number][:at] + draw(st.binary(max_size=6)) + found[number][at + length :]
    return kind, found


@given(spoiled())
def test_whatever_comes_is_figures_or_a_bad_answer(given: tuple[str, list[bytes]]) -> None:
    kind, got = given
    try:
        told = adapter(kind).read(got)
    except BadAnswer:
        return
    for each in readings("asic-1", state_of(True, told), told):
        assert json.dumps(each.values, allow_nan=False)


@given(st.sampled_from(ADAPTERS), st.binary(max_size=200))
def test_any_bytes_are_a_bad_answer(kind: str, got: bytes) -> None:
    assert broken(kind, got)


@given(st.dictionaries(st.text(), values(), min_size=1))
def test_what_is_json_is_never_repaired(told: dict[str, Any]) -> None:
    """Not even where its text looks like a fault."""
    told["text"] = "}{ ,} [,{ nan"
    text = json.dumps(told)
    assert json.dumps(repair.read(text.encode())._told) == text  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('{"a":[{"b":1}{"c":2}]}', {"a": [{"b": 1}, {"c": 2}]}),
        ('{"a":1,}', {"a": 1}),
        ('{"a":[,{"b":1},]}', {"a": [{"b": 1}]}),
        ('{"a":nan,"b":[-inf,1],"c":Infinity,}', {"a": None, "b": [None, 1], "c": None}),
        ('{"a":"one\nline",\r\n"b":2}', {"a": "oneline", "b": 2}),
    ],
)
def test_repairs(wrong: str, right: Any) -> None:
    assert repair.read(wrong.encode())._told == right  # pyright: ignore[reportPrivateUsage]


@given(st.text())
def test_repairs_end_and_are_done_at_once(text: str) -> None:
    once = repair.repaired(text)
    assert len(once) <= 2 * len(text) + 8
