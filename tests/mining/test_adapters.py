"""Every adapter of the folder miners/: what miners really answered and how that is read, over real HTTP and TCP, and
whatever else may come.

A case is a folder recorded/<adapter>/<case>: `0.json`, `1.json`, ... answer the adapter's asks in their order, and
`expected.json` has the figures, without what is not known, or `bad`: the field that cannot be read. A case `fault-...`
is a broken answer.
"""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from schema import topics
from schema.fleet import INFO, TELE
from schema.message import check
from sentry.birth import birth, now_ms
from sentry.mining import miners
from sentry.mining.ask import Asker
from sentry.mining.figures import Card, Figures, readings, state_of
from sentry.mining.miners import Adapter, BadAnswer, NoAnswer, Tcp, adapter
from sentry.settings import Settings
from tests.support.replay import HTTP_FAULTS, RECORDED, TCP_FAULTS, Replay, answers

ASIC_TESTS = Path(__file__).with_name("test_asic_adapters.py")
NAMES = miners.names()


def cases(name: str) -> list[str]:
    folder = RECORDED / name
    return sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []


def expected(name: str, case: str) -> dict[str, Any] | None:
    file = RECORDED / name / case / "expected.json"
    return json.loads(file.read_text()) if file.exists() else None


def in_asic_tests(name: str, case: str) -> bool:
    return ASIC_TESTS.exists() and f'"{name}", "{case}"' in ASIC_TESTS.read_text()


def told(figures: Figures) -> dict[str, Any]:
    """What is known of them, as expected.json has it."""

    def known(values: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in values.items() if v is not None and v is not False and v not in ("", (), [], {})}

    plain = asdict(figures)
    parts = {part: [known(each) for each in plain[part]] for part in ("algorithms", "cards")}
    return known({**plain, **parts})


def looked_at(name: str, replay: Replay, answer_s: float = 30.0, token: str = "") -> Figures:
    """As the sentry looks."""

    async def look() -> Figures:
        return await Asker(answer_s).figures(adapter(name), "127.0.0.1", replay.port, token)

    return asyncio.run(look())


def whole(name: str) -> tuple[Adapter, list[bytes]]:
    """The adapter, and the answers of its first case that is no fault."""
    good = [case for case in cases(name) if not case.startswith("fault-")]
    return adapter(name), answers(name, good[0])


@pytest.mark.parametrize("name", NAMES)
def test_every_adapter_has_recorded_answers_figures_and_faults(name: str) -> None:
    here = cases(name)
    faults = [case for case in here if case.startswith("fault-")]
    assert set(here) - set(faults), f"recorded/{name} has no answer"
    for case in here:
        assert expected(name, case) or in_asic_tests(name, case), f"recorded/{name}/{case}: nothing is expected"
    apart = all(in_asic_tests(name, case) for case in here)  # where their faults are, too
    assert apart or len(faults) >= 2, f"recorded/{name} has fewer than two faults"
    sources = (RECORDED / "README.md").read_text()
    unknown = [case for case in here if expected(name, case) and f"`{name}/{case}`" not in sources]
    assert not unknown, f"recorded/README.md does not say where these are from: {unknown}"


CASES = [(name, case) for name in NAMES for case in cases(name) if expected(name, case)]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_what_was_recorded_is_read(name: str, case: str) -> None:
    """Through the same HTTP and TCP as from a real one."""
    wanted = expected(name, case)
    assert wanted is not None
    with Replay(adapter(name).asks, answers(name, case)) as replay:
        if "bad" in wanted:
            with pytest.raises(BadAnswer) as caught:
                looked_at(name, replay)
            assert caught.value.field == wanted["bad"]
        else:
            assert told(looked_at(name, replay)) == wanted


@pytest.mark.parametrize(("name", "case"), CASES)
def test_telemetry_of_a_miner_is_what_a_sentry_may_send(name: str, case: str) -> None:
    try:
        figures = adapter(name).read(answers(name, case))
    except BadAnswer:
        return
    sendable(figures)


def sendable(figures: Figures) -> None:
    found = readings("miner-a", state_of(True, figures), figures)
    for each in found:
        check(TELE, {"ts": now_ms(), **each.values})
        assert set(each.units) == set(each.values)
        topics.build(TELE, root="farm", domain="house", node="rig1", device=each.device, name=each.part)
        json.dumps(dict(each.values), allow_nan=False)
    parts = {each.part: each.units for each in found}
    check(INFO, birth("b", "cpu-gpu", 10, parts, Settings(_env_file=None)))


def said(name: str, replay: Replay, answer_s: float) -> Figures | NoAnswer | BadAnswer:
    try:
        return looked_at(name, replay, answer_s)
    except (NoAnswer, BadAnswer) as error:
        return error


@pytest.mark.parametrize("name", NAMES)
def test_faults_of_the_connection(name: str) -> None:
    """All of them end in NoAnswer or BadAnswer, or in figures of what came; and then it answers again."""
    one, recorded = whole(name)
    plain = any(isinstance(ask, Tcp) for ask in one.asks)
    with Replay(one.asks, recorded) as replay:
        good = told(looked_at(name, replay))
        for fault in TCP_FAULTS if plain else HTTP_FAULTS:
            replay.fault = fault
            if fault == "slow":
                assert told(looked_at(name, replay)) == good
                continue
            # Only an answer that never ends is waited for in vain.
            found = said(name, replay, 0.2 if fault == "half" else 30.0)
            if isinstance(found, Figures):
                assert fault == "cut", f"{fault} gave {found}"
                sendable(found)
            elif isinstance(found, NoAnswer):
                assert str(replay.port) in str(found)
        replay.fault = ""
        assert told(looked_at(name, replay)) == good
    with pytest.raises(NoAnswer, match=str(replay.port)):
        looked_at(name, replay)


def test_a_token_is_asked_for_and_given() -> None:
    one, recorded = whole("xmrig")
    with Replay(one.asks, recorded, token="secret") as replay:
        with pytest.raises(NoAnswer, match="HTTP 401"):
            looked_at("xmrig", replay)
        with pytest.raises(NoAnswer, match="HTTP 401"):
            looked_at("xmrig", replay, token="wrong")
        assert looked_at("xmrig", replay, token="secret").hashrate == 12.29


def test_a_miner_that_tells_all_but_what_is_optional() -> None:
    node = adapter("monerod")
    with Replay(node.asks, [answers("monerod", "0.18.0-mining")[0], b""]) as replay:
        figures = looked_at("monerod", replay)
    assert (figures.algorithms, figures.extra["height"], state_of(True, figures)) == ((), 2619, "inactive")


@pytest.mark.parametrize(
    ("name", "case", "state"),
    [
        ("monerod", "0.18.0-idle", "inactive"), ("monerod", "0.18.0-mining", "online"), ("xmrig", "6.16.0", "online"),
        ("xmrig", "fault-paused", "inactive"), ("xmrig", "fault-first-seconds", "inactive"),
        ("trex", "0.24.6-starting", "inactive"), ("lolminer", "fault-no-algorithm-yet", "inactive"),
    ],
)  # fmt: skip
def test_states(name: str, case: str, state: str) -> None:
    assert state_of(True, adapter(name).read(answers(name, case))) == state


def test_the_processor_is_no_card_that_can_be_missed() -> None:
    figures = adapter("srbminer").read(answers("srbminer", "assembled-0.7.3"))
    assert (len(figures.cards), figures.gpus) == (3, 2)
    by_part = {each.part: each.values for each in readings("miner-a", "online", figures)}
    assert by_part["card-2"]["processor"] is True
    assert "processor" not in by_part["card-0"]


def test_a_card_that_does_nothing_is_told() -> None:
    figures = Figures("trex", cards=tuple(Card(hashrate=0.0, fan=0) for _ in range(100)))
    found = readings("miner-a", "inactive", figures)
    assert len(found) == 1 + 64
    assert found[1].values == {"hashrate": 0.0, "fan": 0}


@pytest.mark.parametrize(
    ("software", "algorithm", "unit", "factor"),
    [
        ("lolMiner 1.08", "Ethash", "", 1), ("lolMiner 1.09", "Ethash", "", 1e6), ("lolMiner 1.1", "Ethash", "", 1e6),
        ("lolMiner 1.42a", "Etchash", "", 1e6), ("lolMiner 1.42", "Cuckatoo 32", "", 1), ("", "Ethash", "", 1),
        ("lolMiner 1.2", "Ethash", "mh/s", 1e6), ("lolMiner 1.2", "Equihash 192/7", "sol/s", 1),
        ("lolMiner 1.2", "Cuckaroo 30", "g/s", 1), ("lolMiner 1.2", "Kaspa", "Gh/s", 1e9),
        ("lolMiner 1.2", "x", "h/s", 1),
    ],
)  # fmt: skip
def test_units_of_an_old_lolminer(software: str, algorithm: str, unit: str, factor: float) -> None:
    got = json.loads(answers("lolminer", "0.6")[0])
    got["Software"], got["Mining"]["Algorithm"] = software, algorithm
    if unit:
        got["Session"]["Performance_Unit"] = unit
    figures = adapter("lolminer").read([json.dumps(got).encode()])
    assert (figures.hashrate, figures.cards[0].hashrate) == (65.1 * factor, 65.1 * factor)
