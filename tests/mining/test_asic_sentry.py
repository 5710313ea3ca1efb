"""A sentry that watches ASICs: a real broker, simulated ASICs over real TCP and HTTP, signed documents and commands."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mining.asics import AsicSentry, Simulated, hear
from tests.sentry.rig import HouseBroker, Peer

pytestmark = pytest.mark.broker

SILENCE = {"watch": "silence", "for_s": 1, "act": "reboot", "per_hour": 1}


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulated]]:
    made: list[Simulated] = []

    def make(*given: Any, **named: Any) -> Simulated:
        made.append(Simulated(*given, **named))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def sentry(tmp_path: Path, broker: HouseBroker, commander: Peer) -> Iterator[AsicSentry]:
    made = AsicSentry(tmp_path / "sentry", hears_marks=False)
    made.enrolled(f"mqtt://127.0.0.1:{broker.port}", commander.verify)
    made.start()
    commander.expect("self/state", lambda word: word == "ready")
    yield made
    if made.process is not None:
        made.stop()


def want(commander: Peer, records: list[dict[str, Any]], rev: int = 1) -> None:
    body = {"rev": rev, "epoch": 1, "data": {"asics": records}}
    commander.publish(*commander.sealed("desired", "asics", body), retain=True)


def reported(commander: Peer, rev: int = 1, **states: str) -> dict[str, Any]:
    """The report in which these ASICs are so."""

    def fits(told: Any) -> bool:
        if not told or told["rev"] != rev or told["status"] != "applied":
            return False
        asics = told["data"]["asics"]
        return all(asics.get(name, {}).get("state") == state for name, state in states.items())

    return commander.expect("self/reported/asics", fits)["data"]["asics"]


def told(commander: Peer, name: str, id_: str, /, **args: Any) -> dict[str, Any]:
    """How a command ended."""
    commander.publish(*commander.command(name, id_, args=args))
    return commander.expect(f"ack/{id_}", lambda ack: ack["status"] in ("done", "failed", "refused"))


def test_from_a_signed_document_to_telemetry(
    sentry: AsicSentry, commander: Peer, simulate: Callable[..., Simulated]
) -> None:
    asics = simulate(6, "--type", "mixed", "--slow", "1", "--delay-ms", "400", "--dead", "1", "--half", "1")
    records = asics.records()
    records[5]["expected"] = 1.5e12
    want(commander, records)
    seen = reported(commander, a0="online", a1="offline", a2="offline", a3="online", a4="online", a5="online")
    assert seen["a0"]["model"] == "Antminer S19 (simulated)"
    assert "no whole answer" in seen["a2"]["problem"] or "is no JSON" in seen["a2"]["problem"]
    figures = commander.expect("asic-a5/tele/miner", lambda each: each["state"] == "online")
    assert figures["hashrate"] == pytest.approx(1.2e12)
    assert (figures["algorithm"], figures["power"], figures["expected"]) == ("sha256", 17.5, 1.5e12)
    assert commander.expect("asic-a3/tele/card-2")["hashrate"] == pytest.approx(140e12 / 3, rel=1e-4)

    # What changes is told: in the ASIC's log, and as an event.
    changed = (("3 boards 2", "board-lost"), ("3 pool stratum+tcp://b.example:3", "pool"), ("3 restart", "restarted"))
    for order, what in changed:
        asics.tell(order)
        seen = hear(
            commander,
            event=("asic-a3/evt/asic", lambda each, what=what: each["what"] == what),
            log=("asic-a3/log", lambda each: each["text"].startswith("asic-a3: ")),
        )
        assert seen["event"]["text"] in seen["log"]["text"]
    for order, what, word in (("3 gone", "offline", "lost"), ("3 well", "online", "ready")):
        asics.tell(order)
        hear(
            commander,
            event=("asic-a3/evt/asic", lambda each, what=what: each["what"] == what),
            state=("asic-a3/state", lambda each, word=word: each == word),
            figures=("asic-a3/tele/miner", lambda each, what=what: each["state"] == what),
        )

    # A document with a fault leaves in force what was before; one without an ASIC ends its watch.
    want(commander, [*records, records[0]], 2)
    wrong = commander.expect("self/reported/asics", lambda each: each["rev"] == 2 and each["status"] == "failed")
    assert wrong["error"] == "asics.name: a0 is there twice"
    assert set(wrong["data"]["asics"]) == {each["name"] for each in records}
    want(commander, records[4:], 3)
    assert set(reported(commander, 3, a4="online")) == {"a4", "a5"}

    # A restart of the sentry goes on with the document that it keeps.
    sentry.stop()
    sentry.start()
    assert set(reported(commander, 3, a4="online", a5="online")) == {"a4", "a5"}


def test_commands_and_the_watchdog(sentry: AsicSentry, commander: Peer, simulate: Callable[..., Simulated]) -> None:
    asics = simulate(4, "--type", "mixed")
    cgminer, iceriver, bitaxe = asics.places[:3]
    found = told(commander, "asic-check", "c1", type="auto", host=bitaxe["host"], port=bitaxe["port"])
    assert found["status"] == "done"
    assert (found["result"]["type"], found["result"]["hashrate"]) == ("bitaxe", pytest.approx(1.2e12))
    wrong = told(commander, "asic-check", "c2", type="bitaxe", host=iceriver["host"], port=iceriver["port"])
    assert (wrong["status"], wrong["code"]) == ("failed", "no-answer")

    records = asics.records(watchdog=[SILENCE])
    for number in (1, 2, 3):
        records[number]["control"] = True
    want(commander, records)
    reported(commander, a0="online", a1="online", a2="online", a3="online")
    refusals = {
        "d1": ({"name": "a0", "do": "restart"}, "control-off"),
        "d2": ({"name": "a1", "do": "reboot"}, "unable"),
        "d3": ({"name": "gone", "do": "reboot"}, "unknown-asic"),
        "d4": ({"name": "a2", "do": "smash"}, "bad-arguments"),
    }
    for id_, (args, code) in refusals.items():
        answer = told(commander, "asic-control", id_, **args)
        assert (answer["status"], answer["code"]) == ("refused", code)
    commander.publish(*commander.command("asic-control", "d5", args={"name": "a2", "do": "reboot"}))
    hear(
        commander,
        ack=("ack/d5", lambda each: each["status"] == "done"),
        event=("asic-a2/evt/asic", lambda each: (each["what"], each.get("text")) == ("control", "reboot")),
    )
    assert told(commander, "asic-control", "d6", name="a3", do="sleep")["status"] == "done"
    assert commander.expect("asic-a3/tele/miner", lambda each: each["state"] == "inactive")["hashrate"] == 0
    assert told(commander, "asic-control", "d7", name="a3", do="wake")["status"] == "done"
    asics.tell("3 deny")
    denial = told(commander, "asic-control", "d8", name="a3", do="restart")
    assert (denial["status"], denial["code"]) == ("failed", "bad-answer")
    assert "access denied (code 45)" in denial["result"]["problem"]

    asics.tell("0 dead")
    asics.tell("2 dead")
    raised = hear(commander, **{f"a{n}": (f"self/alert/asic-a{n}-silence", bool) for n in (0, 2)})
    assert "only watched" in raised["a0"]["text"]
    assert "not done" in raised["a2"]["text"]  # it does not answer that either
    asics.tell("0 well")
    assert commander.expect("self/alert/asic-a0-silence", lambda each: not each) == ""

    # The same ports at addresses of their own are found by what answers there.
    others = simulate(3, "--type", "cgminer", "--port", str(cgminer["port"]), "--host", "127.77.0.9", free=False)
    place = {"range": "127.77.0.0/27", "ports": [cgminer["port"]]}
    commander.publish(*commander.command("asic-scan", "s1", args=place))
    scan = commander.expect("ack/s1", lambda ack: ack["status"] in ("done", "failed", "refused"))
    assert [each["host"] for each in scan["result"]["found"]] == [each["host"] for each in others.places]
    assert {each["type"] for each in scan["result"]["found"]} == {"cgminer"}
    assert scan["result"]["asked"] == 30
    far = told(commander, "asic-scan", "s2", range="8.8.8.0/30")
    assert (far["status"], far["code"], far["result"]["field"]) == ("refused", "bad-arguments", "range")
