"""The steward's outbox and what it reads out of Mosquitto's log: no broker needed."""

from broker.outbox import Outbox
from broker.supervise import delay
from broker.watch import Dropping, LogReader, RefusalCounter, Refused, Reloading, Running

GAP = "farm/d/n/self/evt/gap"


def seqs(events: list[tuple[str, dict[str, object]]]) -> list[object]:
    return [event["seq"] for topic, event in events if topic != GAP]


def test_an_event_is_sent_once_until_its_mark_stands_still() -> None:
    box = Outbox("s", wait_ms=100)
    box.add("t", {"x": 1}, now=0)
    box.add("t", {"x": 2}, now=0)
    assert seqs(box.due(0, GAP)) == [1, 2]
    assert box.due(99, GAP) == []
    assert seqs(box.due(100, GAP)) == [1, 2]
    assert box.due(299, GAP) == [], "the wait doubles"
    box.passed(1)
    assert seqs(box.due(300, GAP)) == [2]
    box.passed(2)
    assert box.due(10_000, GAP) == []


def test_all_that_is_left_is_sent_after_a_reconnect() -> None:
    box = Outbox("s")
    for _ in range(3):
        box.add("t", {}, now=0)
    box.due(0, GAP)
    box.passed(1)
    box.reconnected()
    assert seqs(box.due(1, GAP)) == [2, 3]


def test_what_is_given_up_is_declared_until_the_mark_passes_it() -> None:
    box = Outbox("s", limit=2)
    for _ in range(5):
        box.add("t", {}, now=0)
    topic, gap = box.due(0, GAP)[0]
    assert (topic, gap["from"], gap["to"]) == (GAP, 1, 3)
    box.passed(3)
    box.reconnected()
    assert seqs(box.due(0, GAP)) == [4, 5]
    assert box.due(0, GAP) == []


def test_log_lines_of_old_and_new_mosquitto() -> None:
    reader = LogReader()
    assert reader.read("mosquitto version 2.0.11 running") == Running()
    assert reader.read("New connection from 10.0.0.7:35188 on port 1883.") is None
    unknown = reader.read("Client <unknown> disconnected, not authorised.")
    assert unknown == Refused("unknown", "10.0.0.7")
    named = reader.read("Client rig [10.0.0.8:5] disconnected, not authorised.")
    assert named == Refused("rig", "10.0.0.8")
    dropping = reader.read("Outgoing messages are being dropped for client a.b.")
    assert dropping == Dropping("a.b")
    assert reader.read("Reloading config.") == Reloading()
    assert reader.read("Client rig disconnected.") is None


def test_refusals_are_reported_at_once_and_then_once_a_minute() -> None:
    counter, who = RefusalCounter(), Refused("rig", "10.0.0.8")
    counter.note(who)
    assert counter.due(0) == [(who, 1)]
    for _ in range(5):
        counter.note(who)
    assert counter.due(59_999) == []
    assert counter.due(60_000) == [(who, 5)]
    assert counter.due(120_000) == []
    counter.note(who)
    assert counter.due(120_001) == [(who, 1)]


def test_the_pause_before_a_restart_grows_to_half_a_minute() -> None:
    assert [delay(failures) for failures in (1, 2, 3, 20)] == [0.5, 1, 2, 30]
