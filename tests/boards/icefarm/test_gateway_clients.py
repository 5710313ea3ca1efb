"""The unmodified iCEFARM clients at the gateway of a commander, with a sentry that is there over MQTT."""

import time
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from commander import icefarm_edge
from commander.icefarm_edge import Gateway
from tests.boards.board_sentry import BoardSentry, count_of
from tests.boards.icefarm.asking import SERIALS, ask, files, free, lease_of, refused
from tests.boards.icefarm.clients import VERSIONS, Connect, OldClient
from tests.commander.serving import Serving
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker
both = pytest.mark.parametrize("version", VERSIONS)


@both
def test_a_whole_run(version: str, connect: Connect, serving: Serving, tmp_path: Path) -> None:
    client = connect(version, f"run of {version}")
    assert client.call("available") == 4
    assert client.call("availableDevices") == SERIALS
    serials = client.call("reserve", 2)
    assert len(serials) == 2
    expected = files(tmp_path, *(f"{number}.bin" for number in range(12)))
    found = client.call("evaluate", list(expected))
    assert sorted(found) == sorted([serial, path, count] for serial in serials for path, count in expected.items())
    told = [pair[0] for contents in client.events("results") for pair in contents["results"]]
    assert len(told) == 24  # each once, although two sockets are open
    assert {told.count(each) for each in told} == {2}
    assert client.call("extend", serials[:1]) == serials[:1]
    assert sorted(client.call("extendAll")) == sorted(serials)
    assert client.call("end", serials[:1]) == serials[:1]
    (other,) = client.call("reserveSpecific", [s for s in SERIALS if s not in serials][:1])
    assert client.call("evaluate", list(expected)[:1], [other]) == [[other, *next(iter(expected.items()))]]
    assert sorted(client.call("endAll")) == sorted([serials[1], other])
    assert len(client.until("reservation end", other)) == 1
    serving.until(lambda: free(serving) == 4)


@both
def test_a_bitstream_that_fails_is_none_and_the_others_go_on(
    version: str, connect: Connect, sentry: BoardSentry, tmp_path: Path
) -> None:
    expected = files(tmp_path, "good.bin", "bad.bin", "empty.bin", "large.bin")
    good, bad, empty, large = expected
    Path(empty).write_bytes(b"")
    Path(large).write_bytes(bytes(1024 * 1024 + 1))
    of_bad = sha256(b"bad.bin").hexdigest()
    sentry.answer = lambda _, digest: "cannot evaluate: hangs" if digest == of_bad else count_of(digest)
    client = connect(version, "ann")
    assert client.call("reserve", 1)
    found = {path: value for _, path, value in client.call("evaluate", list(expected))}
    assert found == {good: expected[good], bad: None, empty: None, large: None}


@both
def test_a_board_that_is_away_for_a_moment_is_waited_for(
    version: str, connect: Connect, sentry: BoardSentry, serving: Serving, tmp_path: Path
) -> None:
    client = connect(version, "ann")
    first, second = sorted(client.call("reserve", 2))
    sentry.report(first, state="preparing")
    serving.until(lambda: serving.get("/boards", state="preparing")["items"])
    ((path, count),) = files(tmp_path, "a.bin").items()
    client.begin("evaluate", [path])
    assert client.until("results", second)
    assert not client.events("results", first)
    sentry.report(first, state="leased")
    assert sorted(client.answer()) == [[first, path, count], [second, path, count]]


@both
@pytest.mark.parametrize("code", ["not-usable", "busy"])
def test_a_board_that_takes_no_call_is_called_again(
    version: str, code: str, connect: Connect, sentry: BoardSentry, tmp_path: Path
) -> None:
    client = connect(version, "ann")
    first, second = sorted(client.call("reserve", 2))
    sentry.refuses = {first: code}
    ((path, count),) = files(tmp_path, "a.bin").items()
    client.begin("evaluate", [path])
    assert client.until("results", second)
    assert not client.events("results", first)
    sentry.refuses = {}
    assert sorted(client.answer()) == [[first, path, count], [second, path, count]]
    assert len(client.events("results", second)) == 1


@both
def test_what_a_killed_sentry_forgot_is_sent_again_once(
    version: str, connect: Connect, sentry: BoardSentry, serving: Serving, tmp_path: Path
) -> None:
    asked: list[str] = []
    commands = serving.service.flow.farm["command"]

    def answer(_: str, digest: str) -> int | None:
        asked.append(digest)
        return count_of(digest) if asked.count(digest) == 2 and digest == of_lost else None

    sentry.answer = answer
    client = connect(version, "ann")
    (serial,) = client.call("reserve", 1)
    lease = lease_of(serving, "ann")["id"]
    expected = files(tmp_path, "lost.bin", "deadly.bin")
    of_lost = sha256(b"lost.bin").hexdigest()
    client.begin("evaluate", list(expected))
    wait_until("both at the sentry", lambda: len(asked) == 2)
    wait_until("taken", lambda: {row["status"] for row in list(commands.values())} == {"done"})
    sentry.event(serial, "initialized", lease, waiting=1)  # restarted with what it had
    time.sleep(0.5)
    assert len(asked) == 2
    sentry.event(serial, "initialized", lease, waiting=0)
    wait_until("both again", lambda: len(asked) == 4)
    assert client.until("results")
    time.sleep(0.5)
    sentry.event(serial, "initialized", lease, waiting=0)
    found = {path: value for _, path, value in client.answer()}
    lost, deadly = expected
    assert found == {lost: expected[lost], deadly: None}
    assert len(asked) == 4


@both
def test_a_client_that_waits_gets_what_becomes_free(version: str, connect: Connect, serving: Serving) -> None:
    lease = serving.operator.post("/api/v1/boards/leases", json={"kind": "pulsecount", "count": 3}).json()
    client = connect(version, "ann")
    wait_until("how many are free", lambda: client.events("devices_available"))
    client.begin("reserve", 3, wait_for_available=True)
    time.sleep(0.5)
    serving.operator.post(f"/api/v1/boards/leases/{lease['id']}/end")
    assert len(client.answer()) == 3


@both
def test_a_client_that_was_killed_gets_its_events_when_it_comes_back(
    version: str, connect: Connect, sentry: BoardSentry, serving: Serving, tmp_path: Path
) -> None:
    held: list[str] = []
    sentry.answer = lambda _, digest: held.append(digest)
    client = connect(version, "ann")
    (serial,) = client.call("reserve", 1)
    lease = lease_of(serving, "ann")["id"]
    client.begin("evaluate", list(files(tmp_path, "a.bin", "b.bin")))
    wait_until("both at the sentry", lambda: len(held) == 2)
    client.kill()
    bystander = connect(version, "bob")
    for value in (5, 6):
        sentry.event(serial, "results", lease, batch="b", results=[[f"eval-{value}", value]])
    sentry.event(serial, "ending-soon", lease)
    serving.until(lambda: len(serving.get("/boards/results", batch="b")["items"]) == 2)
    again = connect(version, "ann")
    again.until("reservation ending soon", serial)
    wait_until("its results", lambda: len(again.events("results", serial)) == 2)
    assert [each["results"] for each in again.events("results")] == [[["eval-5", "5"]], [["eval-6", "6"]]]
    assert again.call("endAll") == [serial]
    assert again.until("reservation end", serial)
    assert {event for event, _, _ in bystander.told} <= {"devices_available"}
    again.kill()
    assert not connect(version, "ann").events("results")  # acknowledged


@both
def test_a_board_that_stays_broken_is_told_and_given_back(
    version: str, connect: Connect, sentry: BoardSentry, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(icefarm_edge, "PATIENCE_S", 3.0)
    client = connect(version, "ann")
    healed, broken = sorted(client.call("reserve", 2))
    lease = lease_of(serving, "ann")["id"]
    for serial in (healed, broken):
        sentry.report(serial, state="broken")
        sentry.event(serial, "failure", lease, problem="hangs")
    serving.until(lambda: set(lease_of(serving, "ann")["failing"]) == {healed, broken})
    sentry.report(healed, state="leased")
    sentry.event(healed, "initialized", lease, waiting=0)
    assert client.until("failure", broken)
    assert not client.events("failure", healed)
    wait_until("only one left", lambda: client.call("getSerials") == [healed])
    serving.until(lambda: [board["serial"] for board in lease_of(serving, "ann")["boards"]] == [healed])


@both
def test_a_reboot_is_waited_for(version: str, connect: Connect, sentry: BoardSentry, serving: Serving) -> None:
    client = connect(version, "ann")
    (serial,) = client.call("reserve", 1)
    lease = lease_of(serving, "ann")["id"]
    client.begin("reboot", [serial])
    time.sleep(3)  # `initialized` of the reservation is told no more
    sentry.event(serial, "initialized", lease, waiting=0)
    assert client.answer() == []
    assert client.call("reboot", [], 1) == []


def test_a_board_that_is_silent_is_rebooted_and_goes_on(
    connect: Connect, sentry: BoardSentry, serving: Serving, tmp_path: Path
) -> None:
    """The clients do it by themselves, after twice their patience; 0.1.16 only while it has more than it has sent."""
    silent: list[tuple[str, str]] = []
    sentry.answer = lambda serial, digest: silent.append((serial, digest))
    expected = files(tmp_path, *(f"{number}.bin" for number in range(12)))
    commands = serving.service.flow.farm["command"]
    earlier = set(commands)
    clients: dict[str, OldClient] = {}
    leases: dict[str, str] = {}
    for version in VERSIONS:
        client = connect(version, version)
        (serial,) = client.call("reserve", 1)
        clients[serial], leases[serial] = client, lease_of(serving, version)["id"]
        client.begin("evaluate", list(expected), result_timeout=3)

    def rebooted() -> set[str]:
        rows = [row for key, row in list(commands.items()) if key not in earlier]
        return {row["args"]["serial"] for row in rows if row["args"].get("do") == "reboot"}

    wait_until("reboots", lambda: rebooted() >= set(clients))
    sentry.answer = lambda _, digest: count_of(digest)
    for serial in clients:
        held = [digest for of, digest in silent if of == serial]
        sentry.event(serial, "initialized", leases[serial], waiting=len(held))
    # What waited at the sentry has its results after that, under the names of the evaluations.
    for row in [row for row in list(commands.values()) if row["args"].get("lease") in leases.values()]:
        args = row["args"]
        for serial, file in ((serial, file) for serial in args["serials"] for file in args["files"]):
            pair = [file["name"], count_of(file["sha256"])]
            sentry.event(serial, "results", args["lease"], batch=args["args"]["batch"], results=[pair])
    for serial, client in clients.items():
        assert sorted(client.answer()) == sorted([serial, path, count] for path, count in expected.items())


def test_leases_of_before_are_known_to_a_gateway_that_starts(
    serving: Serving, http: httpx.Client, connect: Connect
) -> None:
    (row,) = ask(http, "/reserve", name="ann", amount=1, kind="pulsecount", args={})
    serving.until(lambda: serving.get("/boards", state="leased")["items"])
    (port,) = free_ports(1)
    gateway = Gateway(serving.service, f"127.0.0.1:{port}")
    gateway.start()
    try:
        client = OldClient(VERSIONS[0], f"http://127.0.0.1:{port}", "ann")
        assert client.until("initialized", row["serial"])
        client.kill()
    finally:
        gateway.stop()
    assert free(serving) == 3


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_a_name_that_cannot_be_is_not_let_in(url: str, http: httpx.Client, name: str) -> None:
    client = OldClient(VERSIONS[0], url, name)
    try:
        assert not client.connected
        assert "connection attempt failed" in client.log()
        assert not client.told
    finally:
        client.kill()
    assert refused(http, "/endall", name=name) == (422, "name")


def test_requests_that_are_wrong_or_not_of_the_client(connect: Connect, serving: Serving, tmp_path: Path) -> None:
    ann, bob = connect(VERSIONS[1], "ann"), connect(VERSIONS[1], "bob")
    (serial,) = ann.call("reserve", 1)
    (other,) = bob.call("reserve", 1)
    bob.call("addSerial", serial, bob.call("getConnectionInfo", other))
    found = bob.call("evaluate", list(files(tmp_path, "a.bin")), [serial])
    assert [value for _, _, value in found] == [None]
    for data in ({}, {"files": 3}, {"files": {"x": "text"}, "batch_id": "b"}):
        assert bob.call("requestWorker", other, "evaluate", data)
    assert bob.call("requestWorker", other, "explode", {"files": {}, "batch_id": "b"})
    assert [value for _, _, value in bob.call("evaluate", list(files(tmp_path, "a.bin")), [other])] != [None]
    assert serving.service.line_runs()
