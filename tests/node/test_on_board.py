"""What a node does with a board, live: the node in MicroPython, a real broker, a virtual board in real time."""

import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.depot import SELF, Depot, renamed, software
from tests.node.live_board import Keeper, LiveBoard, build_board, standing
from tests.node.rig import Broker, credential_config
from tests.node.test_link_time import answer
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.micropython]

Start = Callable[..., LiveBoard]


@pytest.fixture(scope="session")
def board_main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main.py of a node as it is shipped, with the virtual board beside it."""
    return build_board(tmp_path_factory.mktemp("board"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Keeps what is retained, as the farm's brokers do."""
    broker = Broker(tmp_path, "allow_anonymous true", "persistence true", f"persistence_location {tmp_path}/")
    yield broker
    broker.stop()


@pytest.fixture
def keeper(broker: Broker) -> Iterator[Keeper]:
    keeper = Keeper(broker.port)
    yield keeper
    keeper.stop()


@pytest.fixture
def start(board_main: Path, tmp_path: Path, broker: Broker, keeper: Keeper) -> Iterator[Start]:
    """Start a node with these settings, on a board of this description."""
    boards: list[LiveBoard] = []

    def start(config: dict[str, Any], **board: Any) -> LiveBoard:
        boards.append(LiveBoard(board_main, tmp_path / "node", credential_config(broker.port, **config), **board))
        return boards[-1]

    yield start
    for board in boards:
        board.stop()


def heard(keeper: Keeper, tail: str, since: int = 0) -> list[Any]:
    return [data for topic, data, _ in keeper.heard[since:] if topic == SELF + tail]


def test_deep_sleep_from_wake_to_wake(broker: Broker, keeper: Keeper, start: Start) -> None:
    board = start(
        {
            "sleep": "deep", "spill_bytes": 20000, "interval_s": 20, "heartbeat_s": 60, "timeout_s": 1,
            "sensors": {"system": True},
        },
        skips_deepsleep=True,
    )  # fmt: skip
    stream = keeper.wait("tele/system", lambda data: data["reset_cause"] == "deepsleep")["stream"]
    wait_until("some wakes", lambda: len(board.codes) > 5)
    board.asleep()
    wait_until("its last word", lambda: heard(keeper, "state")[-1] == "sleeping")
    assert heard(keeper, "state")[:6] == ["init", "ready", "sleeping"] * 2, "and `lost` never"
    assert len(heard(keeper, "tele/node")) > 5, "a sign of life at each wake"
    assert board.slots()["run"] == 0, "confirmed"
    multiples = [divmod(data["ts"], 20000) for data in heard(keeper, "tele/system")]
    assert all(late < 5000 for _, late in multiples), multiples
    assert [number - multiples[0][0] for number, _ in multiples] == list(range(len(multiples))), "none was left out"

    state = {**board.slots(), "crashes": 2}
    board.file("slots.json").write_text(json.dumps(state))
    keeper.desire(1, {"interval_s": 60})
    count = len(keeper.heard)
    board.wake()
    told = keeper.wait("reported/settings", lambda data: data["status"] == "applied", count)
    assert told["data"]["interval_s"] == 60
    first = keeper.wait("tele/system", lambda data: data["ts"] % 60000 < 5000, count)
    keeper.wait("tele/system", lambda data: 55000 < data["ts"] - first["ts"] < 65000)

    board.asleep()
    assert board.slots() == {**state, "run": 0, "crashes": 0}, "a wake that ended in sleep ends the row of crashes"
    broker.stop()
    board.file("cause").unlink()  # the power is cut
    ended, last = len(board.codes), keeper.order[-1][1]
    board.wake()
    wait_until("a wake without a broker", lambda: len(board.codes) > ended)
    board.asleep()
    assert board.slots() == {**board.slots(), "run": 1, "crashes": 0}, "nobody has seen that this start is a good one"
    kept = max(int(path.name.rpartition("-")[2]) for path in board.file("spill").glob("*[0-9]-[0-9]*"))
    broker.start()
    count = len(keeper.heard)
    board.wake()
    keeper.wait("tele/system", lambda data: last < data["seq"] <= kept and data["ts"] % 60000 < 5000, count)
    wait_until("wakes with the broker", lambda: heard(keeper, "state", count).count("sleeping") > 1)
    board.asleep()
    assert [seq for named, seq in keeper.order if named == stream] == list(range(1, len(keeper.order) + 1))
    different = {json.dumps(data, sort_keys=True): data["seq"] for data in keeper.events_heard()}
    assert len(different) == len(set(different.values())), "a number was given twice"
    assert set(board.codes) == {-signal.SIGUSR2}
    assert board.slots() == {**board.slots(), "run": 0, "crashes": 0}


def test_an_update_reaches_a_node_that_sleeps_deeply(keeper: Keeper, start: Start, board_main: Path) -> None:
    config = {"sleep": "deep", "spill_bytes": 20000, "interval_s": 60, "heartbeat_s": 60, "sensors": {"system": True}}
    board = start(config, skips_deepsleep=True)
    depot = Depot(keeper)
    keeper.wait("tele/system", lambda data: data["reset_cause"] == "deepsleep")
    board.asleep()
    depot.desire(1, depot.release("0.2.0", renamed(software(board_main.parent), "0.2.0")))
    board.wake()
    depot.reported(1, "applied")
    ended = len(board.codes)
    wait_until("sleep with the new software", lambda: -signal.SIGUSR2 in board.codes[ended:])
    assert board.slots() == {**board.slots(), "good": "lib2", "trial": None, "run": 0, "crashes": 0}


def test_light_sleep_keeps_the_connection(keeper: Keeper, start: Start) -> None:
    config = {"sleep": "light", "interval_s": 4, "heartbeat_s": 4, "keepalive_s": 4, "watchdog_s": 2}
    board = start({**config, "sensors": {"naps": True}})
    keeper.wait("self/state", lambda word: word == "ready")
    first = keeper.wait("tele/naps", lambda data: data["slept_ms"] > 0)
    for number in range(3):
        began = time.monotonic()
        keeper.command(SELF + "cmd/ping", f"c{number}")
        keeper.wait(f"ack/c{number}")
        assert time.monotonic() - began < 4, "within the keepalive"
    later = keeper.wait("tele/naps", lambda data: data["ts"] - first["ts"] > 7000)
    assert later["slept_ms"] - first["slept_ms"] > (later["ts"] - first["ts"]) / 2
    assert board.codes == [], "the watchdog is fed between two naps"
    assert heard(keeper, "state") == ["init", "ready"]
    assert heard(keeper, "tele/node")[-1]["reconnects"] == 0


def test_a_reset_by_the_watchdog_is_told(keeper: Keeper, start: Start, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    sensors = {"hang": {"path": str(trap)}, "system": True}
    board = start({"watchdog_s": 2, "interval_s": 0.5, "sensors": sensors})
    keeper.wait("tele/hang")
    assert keeper.wait("tele/system")["reset_cause"] == "pwron"
    trap.touch()
    keeper.wait("tele/system", lambda data: data["reset_cause"] == "wdt")
    assert len(board.codes) == 1
    assert board.slots() == {**board.slots(), "crashes": 1, "why": "the watchdog bit"}
    wait_until("the start to be confirmed", lambda: board.slots()["run"] == 0)


def test_log_on_flash_rotates_within_its_limit(keeper: Keeper, start: Start) -> None:
    board = start({"log": {"file": "node.log", "max_len": 600}, "heartbeat_s": 1})
    new, old = board.file("node.log"), board.file("node.log.1")
    keeper.wait("self/state", lambda word: word == "ready")
    for number in range(30):
        keeper.publish(SELF + "cmd/ping", b"garbage %d" % number)
        sizes = [path.stat().st_size for path in (new, old) if path.exists()]
        assert all(size <= 600 for size in sizes), sizes
    wait_until("the log to be rotated", old.exists)
    keeper.command(SELF + "cmd/logs", "c1")
    lines = keeper.wait("ack/c1")["result"]["lines"]
    assert len(lines) == 10
    assert all("refused cmd/ping" in line for line in lines)
    count = len(keeper.heard)
    keeper.command(SELF + "cmd/restart", "c2")
    keeper.wait("self/state", lambda word: word == "ready", count)
    written = (old.read_text() + new.read_text()).splitlines()
    assert all(line[:2] == "20" and line[19] == "Z" and " warning: refused cmd/ping" in line for line in written[:-1])
    assert len(new.read_text()) <= 600
    assert len(old.read_text()) <= 600


@pytest.fixture
def time_server() -> Iterator[tuple[int, threading.Event]]:
    """Its port, and what makes it answer: an hour more than it is."""
    awake, over = threading.Event(), threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            while not over.is_set():
                question, sender = sock.recvfrom(100)
                if awake.is_set() and len(question) == 48:
                    sock.sendto(answer(question, ahead=3600), sender)

        thread = threading.Thread(target=serve)
        thread.start()
        yield sock.getsockname()[1], awake
        over.set()
        sock.sendto(b"the end", sock.getsockname())
        thread.join()


def test_no_time_is_invented_before_a_server_tells_it(
    keeper: Keeper, start: Start, time_server: tuple[int, threading.Event]
) -> None:
    port, awake = time_server
    servers = [["127.0.0.1", free_ports(1)[0]], ["127.0.0.1", port]]  # the first one is down
    board = start({"ntp": servers, "sensors": {"system": True}}, unix_s=946684800)
    assert keeper.wait("self/info")["clock"] == "unset"
    keeper.wait("tele/system", lambda data: data["seq"] > 5)
    awake.set()
    first = keeper.wait("tele/system", lambda data: data["ts"] > 0)
    assert abs(first["ts"] / 1000 - 3600 - time.time()) < 10
    for data in keeper.events_heard():
        assert data["ts"] == 0 if data["seq"] < first["seq"] else data["ts"] >= first["ts"], data
    assert "warning: time: " in board.log.read_text(), "the server that is down"


NETWORKS: list[dict[str, Any]] = [
    {"ssid": "endless", "password": "endless!", "rssi": -40, "join_ms": 600000},
    {"ssid": "changed", "password": "new-password", "rssi": -50},
    {"ssid": "barn", "password": "barn wifi", "rssi": -61, "join_ms": 300},
]
FIELD = {"ssid": "field", "rssi": -77, "join_ms": 3000}  # long enough to be seen without a network


def test_wifi_is_joined_and_joined_again(keeper: Keeper, start: Start) -> None:
    keys = {"absent": "password", "field": "", "barn": "barn wifi", "changed": "password", "endless": "endless!"}
    board = start({"wifi": list(keys.items()), "sensors": {"connectivity": True}}, networks=NETWORKS)
    keeper.wait("tele/connectivity", lambda data: data["rssi_dbm"] == -61)
    board.describe(networks=[FIELD])
    keeper.wait("tele/connectivity", lambda data: data["rssi_dbm"] is None, since := len(keeper.heard))
    keeper.wait("tele/connectivity", lambda data: data["rssi_dbm"] == -77, since)
    lines = [line for line in board.log.read_text().splitlines() if "wifi: " in line]
    assert lines == [
        "warning: wifi: endless: not joined in 15 s",
        "warning: wifi: changed: refused, or not there",
        "info: wifi: joined barn as 192.168.4.2",
        "warning: wifi: barn is lost",
        "info: wifi: joined field as 192.168.4.2",
    ]
    assert heard(keeper, "state") == ["init", "ready"]


def test_alerts_of_an_earlier_start_are_cleared(broker: Broker, keeper: Keeper, start: Start) -> None:
    for name in ("sensor-load", "of-somebody-else"):
        body = {"since": 1, "severity": "error", "text": "old"}
        keeper.publish(SELF + "alert/" + name, json.dumps(body).encode(), True)
    assert "alert/sensor-load" in standing(broker.port)
    start({"sensors": {"load": True}})
    keeper.wait("tele/load")
    left = standing(broker.port)
    assert {"info", "state", "alert/of-somebody-else"} <= left
    assert "alert/sensor-load" not in left
