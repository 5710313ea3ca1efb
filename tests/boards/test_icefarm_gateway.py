"""The unmodified iCEFARM clients at the gateway of a commander, with a sentry that is there over MQTT."""

import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from commander import icefarm_edge
from commander.icefarm_edge import Gateway
from commander.service import NotReady
from tests.boards.board_sentry import BoardSentry, count_of
from tests.boards.icefarm_clients import VERSIONS, OldClient
from tests.commander.serving import Serving
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.broker
SERIALS = ["e660", "e661", "e662", "e663"]
both = pytest.mark.parametrize("version", VERSIONS)
Connect = Callable[[str, str], OldClient]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("farm")
    made = Serving(folder, f"sqlite:///{folder}/farm.db")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def sentry(serving: Serving) -> Iterator[BoardSentry]:
    made = BoardSentry(serving, "bench", **{serial: {} for serial in SERIALS})
    serving.until(lambda: free(serving) == 4)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def url(serving: Serving) -> Iterator[str]:
    made = Gateway(serving.service, "127.0.0.1:0")
    made.start()
    yield f"http://127.0.0.1:{made.port}"
    made.stop()


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as made:
        yield made


@pytest.fixture
def connect(url: str) -> Iterator[Connect]:
    made: list[OldClient] = []

    def connected(version: str, name: str) -> OldClient:
        made.append(OldClient(version, url, name))
        assert made[-1].connected
        return made[-1]

    yield connected
    for each in made:
        each.kill()


@pytest.fixture(autouse=True)
def tidy(serving: Serving, sentry: BoardSentry) -> Iterator[None]:
    before = sentry.answer
    yield
    sentry.answer, sentry.works = before, True
    for serial in SERIALS:
        sentry.report(serial, state="leased" if sentry.boards[serial].get("lease") else "ready")
    for user in {row["user"] for row in serving.get("/boards/leases")["items"] if row["state"] != "ended"}:
        serving.admin.post("/api/v1/boards/leases/end-all", json={"user": user})
    serving.until(lambda: free(serving) == 4)


def free(serving: Serving) -> int:
    return serving.get("/boards/available")["count"]


def ask(http: httpx.Client, path: str, **body: Any) -> Any:
    """As the client asks: GET with a body."""
    answer = http.request("GET", path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(http: httpx.Client, path: str, **body: Any) -> tuple[int, str]:
    answer = http.request("GET", path, json=body)
    return answer.status_code, answer.json()["error"]["field"]


def files(folder: Path, *names: str) -> dict[str, str]:
    """path -> what the sentry counts for it, as the client is told."""
    found: dict[str, str] = {}
    for name in names:
        (folder / name).write_bytes(name.encode())
        found[str(folder / name)] = str(count_of(sha256(name.encode()).hexdigest()))
    return found


def lease_of(serving: Serving, name: str) -> Any:
    (found,) = serving.get("/boards/leases", name=name, state="active")["items"]
    return found


# --- HTTP ------------------------------------------------------------------------------------------------------------
def test_reserving_extending_and_ending(http: httpx.Client, serving: Serving) -> None:
    assert ask(http, "/available") == {"amount": 4}
    assert http.get("/devices").json() == SERIALS
    args = {"flush_interval_seconds": 10, "flush_at_bitstreams_remaining": 25, "send_waveform": True}
    rows = ask(http, "/reserve", name="ann", amount=2, kind="variance", args=args)
    place = {"ip": "127.0.0.1", "serverport": http.base_url.port, "url": str(http.base_url).rstrip("/")}
    mine = [row["serial"] for row in rows]
    assert rows == [{"serial": serial, **place} for serial in mine]
    lease = lease_of(serving, "ann")
    assert (lease["user"], lease["kind"], lease["args"], lease["length_s"]) == ("icefarm", "variance", {}, 3600)
    (other,) = set(ask(http, "/devices")) - {"e663"}
    (row,) = http.post("/reserveserials", json={"name": "ann", "kind": "pulsecount", "serials": ["E663"]}).json()
    assert row["serial"] == "e663"
    assert ask(http, "/extend", name="ann", serials=[mine[1].upper(), other]) == [mine[1]]
    assert lease_of_boards(serving, mine)["until"] > lease["until"]
    assert sorted(ask(http, "/extendall", name="ann")) == sorted([*mine, "e663"])
    assert ask(http, "/end", name="ann", serials=[mine[0], other]) == [mine[0]]
    serving.until(lambda: mine[0] in ask(http, "/devices"))
    assert sorted(ask(http, "/endall", name="ann")) == sorted([mine[1], "e663"])
    assert ask(http, "/endall", name="ann") == []


def lease_of_boards(serving: Serving, serials: list[str]) -> Any:
    rows = serving.get("/boards/leases", state="active")["items"]
    return next(row for row in rows if {board["serial"] for board in row["boards"]} == set(serials))


def test_the_address_is_the_one_that_the_client_used(http: httpx.Client) -> None:
    for host, ip, port in (("farm.example:81", "farm.example", 81), ("farm.example", "farm.example", 80)):
        wish = {"name": "ann", "amount": 1, "kind": "pulsecount", "args": {}}
        (row,) = http.request("GET", "/reserve", json=wish, headers={"Host": host}).json()
        assert (row["ip"], row["serverport"], row["url"]) == (ip, port, f"http://{ip}:{port}")


def test_another_name_has_no_say(http: httpx.Client, serving: Serving) -> None:
    (row,) = ask(http, "/reserve", name="ann", amount=1, kind="pulsecount", args={})
    serials = [row["serial"]]
    for path in ("/end", "/extend"):
        assert ask(http, path, name="bob", serials=serials) == []
    for path in ("/endall", "/extendall"):
        assert ask(http, path, name="bob") == []
    assert lease_of(serving, "ann")["state"] == "active"


def test_boards_of_users_of_the_farm_are_out_of_reach(http: httpx.Client, serving: Serving) -> None:
    wish = {"kind": "pulsecount", "serials": ["e660"]}
    assert serving.operator.post("/api/v1/boards/leases", json=wish).status_code == 201
    (row,) = ask(http, "/reserve", name="ann", amount=1, kind="pulsecount", args={})
    for path in ("/reboot", "/delete"):
        assert ask(http, path, serials=["e660", "e663" if row["serial"] != "e663" else "e662", "none"]) == []
        assert ask(http, path, serials=[row["serial"].upper()]) == [row["serial"]]
    assert ask(http, "/end", name="ann", serials=["e660"]) == []
    assert ask(http, "/reboot", serials=[]) == []


def test_what_is_refused_names_the_field(http: httpx.Client) -> None:
    good = {"name": "ann", "amount": 1, "kind": "pulsecount", "args": {}}
    for change, field in (
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"amount": 0}, "amount"),
        ({"amount": "many"}, "amount"),
        ({"kind": "none"}, "kind"),
        ({"args": []}, "args"),
        ({"args": {"x": "y" * 600}}, "args"),
    ):
        assert refused(http, "/reserve", **{**good, **change}) == (422, field)
    assert refused(http, "/reserve", name="ann") == (422, "kind")
    assert refused(http, "/reserve", **{**good, "amount": 5})[1] == "count"
    assert refused(http, "/reserveserials", name="ann", kind="pulsecount", serials=[]) == (422, "serials")
    assert refused(http, "/reserveserials", name="ann", kind="pulsecount", serials=["none"]) == (422, "serials")
    assert refused(http, "/end", name="ann", serials="e660") == (422, "serials")
    assert refused(http, "/clear-workers")[0] == 403
    for body in (b"{", b"[1]", b"\xff", b"null", b"[" * 100_000):
        answer = http.request("GET", "/endall", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), answer.text
    assert http.request("GET", "/endall", content=b'{"name": "ann"}').status_code == 422  # as a page could send it
    assert "iCEFARM" in http.get("/").text
    assert ask(http, "/available") == {"amount": 4}


def test_now_or_not_at_all(http: httpx.Client, serving: Serving) -> None:
    good = {"name": "ann", "kind": "pulsecount", "args": {}}
    ask(http, "/reserve", amount=4, **good)
    assert refused(http, "/reserve", amount=1, **good) == (409, "wait")
    assert serving.get("/boards/leases", state="waiting")["items"] == []


def test_a_port_that_is_taken_names_the_setting(serving: Serving, url: str) -> None:
    for address in (url.removeprefix("http://"), "nonsense", "127.0.0.1:port", "127.0.0.1:70000"):
        with pytest.raises(NotReady, match="FARMHAND_ICEFARM"):
            Gateway(serving.service, address)


# --- with the clients ------------------------------------------------------------------------------------------------
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
