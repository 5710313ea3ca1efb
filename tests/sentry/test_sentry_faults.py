"""Every event that went into the outbox is stored once, whatever is killed, lost or full."""

import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sentry.extras import Report
from sentry.home import Home
from sentry.kept import Kept
from tests.sentry.rig import HouseBroker, Peer, Sentry, Store
from tests.support.disk import no_file_may_grow
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker
Make = Callable[..., Sentry]


@pytest.fixture
def store(commander: Peer) -> Iterator[Store]:
    store = Store(commander)
    yield store
    store.close()


def emitting(sentry: Sentry, count: int, rate: int) -> "subprocess.Popen[bytes]":
    arguments = sentry.argv("emit", "--count", str(count), "--rate", str(rate))
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, **sentry.place)


def compared(sentry: Sentry, store: Store) -> list[tuple[str, int]]:
    """Waits until all is stored; then each event of the outbox's history is there, and no other."""

    def all_stored() -> bool:
        ((stream, following),) = sentry.rows("SELECT id, next_seq FROM stream")
        return store.marks.get(stream, 0) == following - 1

    wait_until("the store has everything", all_stored)
    sentry.stop()
    wait_until("the store has what came until the end", all_stored)
    history: dict[tuple[str, int], Any] = {
        (stream, seq): payload for stream, seq, payload in sentry.rows("SELECT stream, seq, payload FROM history")
    }
    assert store.rows == history
    (stream,) = {stream for stream, _ in history}
    assert sorted(history) == [(stream, n) for n in range(1, len(history) + 1)]
    return sorted(history)


def test_marks_empty_the_outbox(make_sentry: Make, store: Store) -> None:
    sentry = make_sentry(history=True)
    assert sentry.ask("emit", "--count", "300").stdout == "300 events, the last is seq 300\n"
    sentry.start()
    wait_until("marks move on", lambda: store.marks != {} and min(store.marks.values()) > 300)
    wait_until("the outbox is empty", lambda: sentry.rows("SELECT rows FROM stream")[0][0] == 0)
    compared(sentry, store)


def test_kill_9_of_the_sentry_while_500_events_per_second_flow(make_sentry: Make, store: Store) -> None:
    sentry = make_sentry(history=True, still_s=1)
    sentry.start()
    with emitting(sentry, 2000, 500) as source:
        for stored in (300, 800, 1300):
            wait_until(f"{stored} events are stored", lambda n=stored: len(store.rows) > n)
            sentry.stop(signal.SIGKILL)
            sentry.start()
        assert source.wait(30) == 0
    assert len(compared(sentry, store)) > 2000


def test_kill_9_of_the_writer_leaves_no_hole(make_sentry: Make, store: Store) -> None:
    sentry = make_sentry(history=True)
    sentry.start()
    for stored in (100, 400):
        with emitting(sentry, 100_000, 1000) as source:
            wait_until(f"{stored} events are stored", lambda n=stored: len(store.rows) > n)
            source.kill()
    compared(sentry, store)


def test_kill_9_of_the_broker(make_sentry: Make, store: Store, broker: HouseBroker) -> None:
    sentry = make_sentry(history=True, still_s=1)
    sentry.start()
    with emitting(sentry, 1500, 500) as source:
        wait_until("events flow", lambda: len(store.rows) > 300)
        broker.stop(signal.SIGKILL)
        (broker.folder / "mosquitto.db").unlink(missing_ok=True)
        broker.start()
        assert source.wait(30) == 0
    assert len(compared(sentry, store)) > 1500


def test_what_the_way_loses_is_sent_again(make_sentry: Make, commander: Peer) -> None:
    """Every PUBACK came, and yet a third never arrived: only the mark tells."""
    store = Store(commander, loses=lambda arrival: arrival % 3 == 0 and arrival < 900)
    sentry = make_sentry(history=True, still_s=0.3, still_most_s=1)
    sentry.start()
    assert sentry.ask("emit", "--count", "500").returncode == 0
    compared(sentry, store)
    assert store.arrivals > 600
    store.close()


def test_a_full_outbox_declares_what_it_gave_up(make_sentry: Make, commander: Peer) -> None:
    sentry = make_sentry(history=True, queue_rows=200, still_s=1)
    assert sentry.ask("emit", "--count", "1000").returncode == 0
    store = Store(commander)
    sentry.start()

    def all_stored() -> bool:
        ((stream, following),) = sentry.rows("SELECT id, next_seq FROM stream")
        return store.marks.get(stream, 0) == following - 1

    wait_until("the mark has passed the gap", all_stored)
    ((stream, given_up),) = store.gaps.items()
    assert given_up == set(range(1, max(given_up) + 1))
    assert 800 <= len(given_up) < 1000
    assert {seq for _, seq in store.rows} == set(range(max(given_up) + 1, store.marks[stream] + 1))
    store.close()


def test_without_a_way_back_everything_is_sent_and_the_newest_kept(make_sentry: Make, commander: Peer) -> None:
    sentry = make_sentry(history=True, hears_marks=False, queue_rows=300, window_most=100)
    sentry.start()
    assert commander.expect("/info")["hears_marks"] is False
    assert sentry.ask("emit", "--count", "250").returncode == 0
    commander.expect("/evt/test", lambda event: event["n"] == 250)
    assert sentry.ask("emit", "--count", "250").returncode == 0
    commander.expect("/evt/test", lambda event: event["n"] == 250)
    assert sentry.rows("SELECT rows FROM stream")[0][0] <= 300


def test_a_full_disk_refuses_commands_and_delays_documents(make_sentry: Make, commander: Peer) -> None:
    sentry = make_sentry()
    sentry.start()
    commander.expect("self/state", lambda word: word == "ready")
    assert sentry.process is not None
    unlimited = resource.prlimit(sentry.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    wish = {"rev": 1, "epoch": 1, "data": {"interval_s": 2}}
    commander.publish(*commander.sealed("desired", "settings", wish), retain=True)
    commander.publish(*commander.command("ping", "c1"))
    refused = commander.expect("ack/c1")
    assert (refused["status"], refused["code"]) == ("refused", "disk")
    resource.prlimit(sentry.process.pid, resource.RLIMIT_FSIZE, unlimited)
    assert commander.expect("reported/settings")["status"] == "applied"
    commander.publish(*commander.command("ping", "c2"))
    commander.expect("ack/c2", lambda ack: ack["status"] == "done")


def test_what_a_full_disk_did_not_keep_is_taken_in_again(tmp_path: Path) -> None:
    kept = Kept(Home(tmp_path))
    report = Report("leases", 1, "applied")
    with no_file_may_grow(0):
        assert not kept.keep({"epoch": 1}, "leases", report)
        assert not kept.keep({"epoch": 1}, "cmd/ping")
        assert kept.missed(10) == [report]
        assert kept.missed(11) == [], "not all the time"
        assert kept.missed(12) == [report]
    assert kept.keep({"epoch": 1}, "leases", report)
    assert kept.missed(20) == []
    assert Kept(Home(tmp_path)).memory == {"epoch": 1}
