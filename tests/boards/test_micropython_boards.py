"""Boards with MicroPython: the sentry's own code, the REPL of the real interpreter, the firmware as a real board gets
it, and the true count of what it was sent."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import esp_node
from schema.boards import BITSTREAM_BYTES
from sentry.boards.virtual.bus import NotDone, ask
from sentry.boards.virtual.noise import variance
from tests.boards.board_host import BoardSentry, Depot, Told
from tests.boards.circuits import OSCILLATOR, bitstream, divider, need_tools, pulses
from tests.boards.serial_port import Port
from tests.boards.virtual_farm import Farm
from tests.sentry.rig import HouseBroker, Peer
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.micropython, pytest.mark.timeout(400)]

PROGRAMS = Path(esp_node.__file__).parent / "boards"
FIRMWARE = {
    f"FARMHAND_BOARD_{name.upper()}": str(PROGRAMS / f"{name}.py") for name in ("default", "pulse_count", "variance")
}
CLOCK_HZ = 48_000_000  # as the firmware asks for
DIVIDERS = (7, 10, 1000)
PATIENT = {"bootloader_s": 25, "restart_s": 25, "test_s": 25, "prepare_s": 25, "result_s": 120, "failures": 2}


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    need_tools()
    farm = Farm(tmp_path_factory.mktemp("b"), "--model", "micropython", "--gate-ms", "2")
    yield farm
    farm.close()
    assert not list(farm.bus.glob("E66*"))


@pytest.fixture
def commander(tmp_path: Path) -> Iterator[tuple[HouseBroker, Peer]]:
    broker = HouseBroker(tmp_path / "broker")
    broker.start()
    peer = Peer(broker.port)
    yield broker, peer
    peer.close()
    broker.stop()


class Host:
    """A sentry with the boards of the farm."""

    def __init__(self, folder: Path, farm: Farm, broker: HouseBroker, peer: Peer, **firmware: str) -> None:
        self.one, self.two = farm.one.lower(), farm.two.lower()
        self.sentry = BoardSentry(folder / "sentry", farm.bus, {**FIRMWARE, **firmware}, **PATIENT)
        self.sentry.enrolled(f"mqtt://127.0.0.1:{broker.port}", peer.verify)
        self.sentry.start()
        self.told, self.depot = Told(peer), Depot(peer)

    def evaluate(self, id_: str, lease: str, serial: str, **files: bytes) -> None:
        ended = self.told.call(id_, lease, "evaluate", self.depot.add(**files), serial, batch="b1")
        assert ended["status"] == "done", ended


@pytest.fixture
def host(tmp_path: Path, farm: Farm, commander: tuple[HouseBroker, Peer]) -> Iterator[Host]:
    host = Host(tmp_path, farm, *commander)
    yield host
    host.sentry.stop()


def leased(serial: str, kind: str, lease: str = "l1") -> dict[str, Any]:
    return {"serial": serial, "lease": lease, "kind": kind, "args": {}}


def test_from_the_repl_to_true_counts_and_back(host: Host, farm: Farm) -> None:
    told, one, two = host.told, host.one, host.two
    report = told.report(0, **{one: "ready", two: "ready"})
    assert report["data"]["boards"][one]["firmware"] == "default"
    assert report["data"]["kinds"] == ["pulsecount", "variance"]
    told.lease(1, leased(one, "pulsecount"), leased(two, "variance"))
    for serial in (one, two):
        told.event(serial, "initialized", waiting=0)

    files = {f"by{by}": bitstream(divider(by)) for by in DIVIDERS}
    host.evaluate("c1", "l1", one, **files, oscillator=bitstream(OSCILLATOR))
    for by in DIVIDERS:
        found = told.event(one, "results", results=[[f"by{by}", pulses(by, CLOCK_HZ)]])["contents"]
        assert found["gate_ms"] == 1000
    assert "oscillator" in told.event(one, "evaluation-failed", evaluation="oscillator")["contents"]["problem"]
    host.evaluate("c2", "l1", two, by1000=files["by1000"])
    value = told.event(two, "results")["contents"]["results"][0][1]
    assert value == pytest.approx(variance(pulses(1000, CLOCK_HZ), files["by1000"], farm.two), abs=0.0011)

    # The lease ends: the program comes back that says what it is.
    told.lease(2)
    report = told.report(2, **{one: "ready", two: "ready"})
    assert report["data"]["boards"][one]["firmware"] == report["data"]["boards"][two]["firmware"] == "default"
    with Port(farm.tty(farm.one)) as port:
        port.until("default firmware")


def test_bytes_that_never_come(host: Host, farm: Farm) -> None:
    """A program goes on without its sentry, and a new sentry gets hold of it in the middle of a bitstream."""
    told, one, file = host.told, host.one, bitstream(divider(10))
    told.report(0, **{one: "ready"})
    told.lease(1, leased(one, "pulsecount"))
    told.event(one, "initialized")
    host.sentry.stop(signal.SIGKILL)
    with Port(farm.tty(farm.one)) as port:
        for short in (file[:5], b"\x03\x03" + file[:7]):
            port.write(short)
            port.until(f"Watchdog timeout, {len(short)} bytes received of {BITSTREAM_BYTES}")
            port.until("Waiting for bitstream transfer")
        port.write(file, piece=1000)
        assert int(port.until(r"pulses: (\d+), gate 1000 ms", 120)[1]) == pulses(10, CLOCK_HZ)
        port.until("Waiting for bitstream transfer")
        port.write(b"\x03")
        port.until(">")
        port.write(b"print(6 * 7)\x04")
        port.until("OK42")
    host.sentry.start()
    told.event(one, "initialized")
    host.sentry.stop(signal.SIGKILL)
    with Port(farm.tty(farm.one)) as port:
        port.write(file[:50_000])
    host.sentry.start()
    told.event(one, "initialized")
    host.evaluate("c1", "l1", one, a=file)
    told.event(one, "results", results=[["a", pulses(10, CLOCK_HZ)]])


def test_bytes_of_somebody_else_spoil_no_count(host: Host, farm: Farm) -> None:
    told, one, file = host.told, host.one, bitstream(divider(10))
    told.report(0, **{one: "ready"})
    told.lease(1, leased(one, "pulsecount"))
    told.event(one, "initialized")
    host.evaluate("c1", "l1", one, a=file)
    told.event(one, "results")
    for number, stray in enumerate((b"AT\r\n", bytes(5000))):
        with Path(farm.tty(farm.one)).open("wb", buffering=0) as tty:
            tty.write(stray)
        host.evaluate(f"s{number}", "l1", one, a=file, b=file)
        for name in "ab":
            told.event(one, "results", results=[[name, pulses(10, CLOCK_HZ)]])


def test_a_board_that_goes_away_under_way(host: Host, farm: Farm) -> None:
    """Its interpreter crashes in the middle of an evaluation; it is pulled out."""
    told, one, file = host.told, host.one, bitstream(divider(10))
    told.report(0, **{one: "ready"})
    told.lease(1, leased(one, "pulsecount"))
    told.event(one, "initialized")
    host.evaluate("c1", "l1", one, a=file, b=file)
    told.event(one, "results")
    ask(farm.bus, "crash", farm.one)
    told.event(one, "evaluation-failed", evaluation="b")
    told.event(one, "initialized")
    host.evaluate("c2", "l1", one, a=file)
    told.event(one, "results", results=[["a", pulses(10, CLOCK_HZ)]])

    ask(farm.bus, "unplug", farm.one)
    told.event(one, "unplugged")
    told.lease(2)
    ask(farm.bus, "plug", farm.one)
    told.report(2, **{one: "ready"})
    with pytest.raises(NotDone, match="hang is nothing for a board of this model"):
        ask(farm.bus, "hang", farm.one)


def test_a_program_that_cannot_run(tmp_path: Path, farm: Farm, commander: tuple[HouseBroker, Peer]) -> None:
    (tmp_path / "typo.py").write_text("import time\nprint('never'\nx = 1\n")
    (tmp_path / "lacks.py").write_text("import wings\n")
    programs = {f"FARMHAND_BOARD_{word}": str(tmp_path / file) for word, file in
                (("PULSE_COUNT", "typo.py"), ("VARIANCE", "lacks.py"))}  # fmt: skip
    host = Host(tmp_path, farm, *commander, **programs)
    told = host.told
    try:
        told.report(0, **{host.one: "ready", host.two: "ready"})
        told.lease(1, leased(host.one, "pulsecount"), leased(host.two, "variance"))
        for serial, problem in (
            (host.one, "typo.py: SyntaxError: invalid syntax"),
            (host.two, "lacks.py: ImportError: no module named 'wings'"),
        ):
            contents = told.event(serial, "state", to="broken")["contents"]
            assert contents["problem"].startswith(problem)
            assert told.event(serial, "failure")["contents"]["problem"].startswith(problem)
            told.event(serial, "state", to="quarantine")
        told.lease(2)
        told.report(2, **{host.one: "ready", host.two: "ready"})
    finally:
        host.sentry.stop()


def test_a_killed_bus_leaves_no_interpreter(tmp_path: Path) -> None:
    farm = Farm(tmp_path / "b", "--model", "micropython")
    bus = psutil.Process(farm.process.pid)
    interpreters = wait_until("two interpreters", lambda: len(found := bus.children()) == 2 and found)
    with Port(farm.tty(farm.one)) as port:
        port.write(b"\x01")
        port.until("raw REPL")
        port.write(b"print('on')\nwhile True: pass\n\x04")
        port.until("OKon")
    farm.process.kill()
    farm.process.communicate()
    wait_until("both to end", lambda: not any(each.is_running() for each in interpreters))
