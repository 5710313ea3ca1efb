"""A sentry of kind `board`: a real broker, small boards, signed documents and commands, files pulled over MQTT."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.boards.board_host import BoardSentry, Depot, Told
from tests.boards.small_board import SmallBoard, bitstream, firmware_files
from tests.sentry.rig import HouseBroker, Peer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker

ONE, TWO = "e6616407e301", "e6616407e302"
ECHO = """
from sentry.boards.core import State, register, reservable


@reservable("echo", "prefix")
class Echo(State):
    firmware = "echo"

    def __init__(self, board, prefix=""):
        super().__init__(board)
        self.prefix, self.tty = prefix, None

    async def enter(self):
        self.tty = self.board.open()

    async def leave(self):
        self.tty.close()

    async def on_remove(self):
        self.tell("farewell")

    @register("mutter")
    def mutter(self):
        return {"not JSON": object()}

    @register("shout", "files", "times")
    async def shout(self, files, times=1):
        for _ in range(times):
            await self.tty.write(files["text"].read())
            self.tell("echoed", line=self.prefix + await self.tty.line())
        return times
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[HouseBroker]:
    broker = HouseBroker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def commander(broker: HouseBroker) -> Iterator[Peer]:
    peer = Peer(broker.port)
    yield peer
    peer.close()


Make = Callable[..., tuple[BoardSentry, Told, list[SmallBoard]]]


@pytest.fixture
def make(tmp_path: Path, broker: HouseBroker, commander: Peer) -> Iterator[Make]:
    """A sentry with its boards, running and connected."""
    made: list[BoardSentry] = []
    boards: list[SmallBoard] = []

    def build(serials: tuple[str, ...], *names: str, **environment: str) -> tuple[BoardSentry, Told, list[SmallBoard]]:
        for serial in serials:
            boards.append(SmallBoard(tmp_path / "bus", serial, port="1-1.4"))
            boards[-1].plug()
        files = firmware_files(tmp_path / "firmware", "default", *names)
        sentry = BoardSentry(tmp_path / "sentry", tmp_path / "bus", {**files, **environment})
        sentry.enrolled(f"mqtt://127.0.0.1:{broker.port}", commander.verify)
        sentry.start()
        made.append(sentry)
        return sentry, Told(commander), boards

    yield build
    for sentry in made:
        if sentry.process is not None:
            sentry.stop()
    for board in boards:
        board.unplug()


def given(serial: str, lease: str = "l1", kind: str = "pulsecount", **args: Any) -> dict[str, Any]:
    return {"serial": serial, "lease": lease, "kind": kind, "args": args}


def test_from_a_lease_to_results(make: Make, commander: Peer) -> None:
    sentry, told, boards = make((ONE, TWO), "pulse_count", FARMHAND_BOARD_TAGS="lab, fast")
    depot = Depot(commander)
    # What is there is told before anybody wants anything.
    report = told.report(0, **{ONE: "ready", TWO: "ready"})
    assert report["data"]["boards"][ONE] == {
        **{"state": "ready", "type": "pico2-ice", "tags": ["lab", "fast"], "firmware": "default"}
    }
    assert report["data"]["kinds"] == ["pulsecount"]
    told.lease(1, given(ONE), given(TWO))
    # While it is under way nobody takes the boards for gone.
    pending = told.expect("self/reported/leases", lambda each: each["rev"] == 1)
    assert (pending["status"], set(pending["data"]["boards"])) == ("pending", {ONE, TWO})
    for serial in (ONE, TWO):
        told.event(serial, "plugged", vendor="1209")
        assert told.event(serial, "initialized")["lease"] == "l1"
    told.report(1, **{ONE: "leased", TWO: "leased"})

    # Each file is fetched once for both, a lost request is repeated, a spoilt file comes again.
    depot.ignores, depot.spoils = 1, 1
    files = depot.add(a=bitstream(1000), b=bitstream(7), short=b"\x7e\xaa\x99\x7e")
    ended = told.call("c1", "l1", "evaluate", files, ONE, TWO, batch="b1")
    assert ended["status"] == "done", ended
    assert set(ended["result"]["answers"]) == {ONE, TWO}
    for serial in (ONE, TWO):
        told.event(serial, "results", batch="b1", results=[["a", 1000]])
        assert told.event(serial, "results", batch="b1", results=[["b", 7]])["lease"] == "l1"
        problem = told.event(serial, "evaluation-failed", batch="b1", evaluation="short")["contents"]["problem"]
        assert "has 4 bytes" in problem
    assert [board.received for board in boards] == [[1000, 7], [1000, 7]]
    assert len(depot.asked) == 3 + 1 + 1

    # Its console tells all of it, part by part; looking is not remembered, and deeds are.
    memory = json.loads((sentry.state / "memory.json").read_text())["ids"]
    seen = told.command("board", "q-1", {"serial": ONE, "do": "console"})["result"]["lines"]
    said = [(line["from"], line["text"]) for line in seen]
    assert said[:2] == [("note", "plugged in"), ("note", "flashed default")]
    assert {("board", "pulses: 1000"), ("sentry", "104,090 bytes"), ("board", "pulses: 7")} <= set(said)
    assert [line["n"] for line in seen] == list(range(seen[0]["n"], seen[0]["n"] + len(seen)))
    rest = told.command("board", "q-2", {"serial": ONE, "do": "console", "after": seen[-2]["n"]})["result"]
    assert rest == {"lines": seen[-1:], "more": False}
    assert json.loads((sentry.state / "memory.json").read_text())["ids"] == memory == ["c1"]

    # What cannot be obeyed is refused, and says why.
    refusals = (
        (("l2", "evaluate", files, ONE), {"batch": "b"}, "not-leased", "is not of the lease l2"),
        (("l1", "dance", [], ONE), {}, "unknown-method", "allowed: evaluate"),
        (("l1", "evaluate", [], ONE), {}, "bad-arguments", "args.batch: missing"),
        (("l1", "evaluate", [], "nobody"), {"batch": "b"}, "unknown-board", "no board nobody"),
        (("l1", "evaluate", [{"name": "x", "sha256": "0" * 64}], ONE), {"batch": "b"}, "no-file", "has no file"),
        (("l1", "evaluate", [{"name": "x", "sha256": "../secret"}], ONE), {"batch": "b"}, "bad-arguments", "64 hex"),
    )
    for number, (call, args, code, problem) in enumerate(refusals):
        ended = told.call(f"r{number}", *call, **args)
        assert (ended["status"], ended["code"]) == ("refused", code)
        assert problem in ended["result"]["problem"]

    # A full disk is an error of that call alone.
    (full,) = depot.add(full=bitstream(5))
    part = sentry.state / "boards" / f"{full['sha256']}.part"
    part.symlink_to("/dev/full")
    ended = told.call("c2", "l1", "evaluate", [full], ONE, batch="b2")
    assert (ended["status"], ended["code"]) == ("refused", "disk")
    assert "No space left" in ended["result"]["problem"]
    part.unlink()
    assert told.call("c3", "l1", "evaluate", [full], ONE, batch="b2")["status"] == "done"
    told.event(ONE, "results", batch="b2", results=[["full", 5]])

    # The sentry's end takes no lease away: the boards are prepared again, and the files are still there, but for one
    # that a power cut took.
    asked = len(depot.asked)
    sentry.stop(signal.SIGKILL)
    (sentry.state / "boards" / files[0]["sha256"]).write_bytes(b"")
    told.forget()
    sentry.start()
    for serial in (ONE, TWO):
        told.event(serial, "initialized", waiting=0)
    assert told.call("c4", "l1", "evaluate", files[:2], TWO, batch="b3")["status"] == "done"
    for name, count in (("a", 1000), ("b", 7)):
        told.event(TWO, "results", batch="b3", results=[[name, count]])
    assert depot.asked[asked:] == [(files[0]["sha256"], 0)]
    told.report(1, **{ONE: "leased", TWO: "leased"})
    told.lease(2, given(TWO))
    told.report(2, **{ONE: "ready", TWO: "leased"})
    told.lease(3, given(TWO), given(TWO))
    wrong = told.expect("self/reported/leases", lambda each: each["rev"] == 3 and each["status"] == "failed")
    assert wrong["error"] == f"boards.serial: {TWO} is there twice"
    assert wrong["data"]["boards"][TWO]["lease"] == "l1"


def test_a_call_reaches_the_board_that_was_unplugged_while_its_files_came(make: Make, commander: Peer) -> None:
    _, told, boards = make((ONE,), "pulse_count")
    depot = Depot(commander)
    told.report(0, **{ONE: "ready"})
    told.lease(1, given(ONE))
    told.event(ONE, "initialized")
    depot.ignores = 1_000
    call = {"serials": [ONE], "lease": "l1", "method": "evaluate", "args": {"batch": "b1"}}
    commander.publish(*commander.command("board-call", "c1", args={**call, "files": depot.add(a=bitstream(1000))}))
    wait_until("the request for the file", lambda: depot.asked)
    boards[0].unplug()
    told.event(ONE, "unplugged")
    boards[0].plug()
    told.event(ONE, "initialized", waiting=0)
    depot.ignores = 0
    assert told.expect("ack/c1", lambda ack: ack["status"] == "done")["result"] == {"answers": {ONE: 1}}
    told.event(ONE, "results", batch="b1", results=[["a", 1000]])


def test_boards_that_can_take_a_call_take_it(make: Make, commander: Peer) -> None:
    _, told, boards = make((ONE, TWO), "pulse_count")
    depot = Depot(commander)
    told.report(0, **{ONE: "ready", TWO: "ready"})
    told.lease(1, given(ONE), given(TWO))
    told.report(1, **{ONE: "leased", TWO: "leased"})
    boards[1].unplug()
    told.event(TWO, "unplugged")
    call = "l1", "evaluate", depot.add(a=bitstream(1000))
    ended = told.call("c1", *call, ONE, TWO, batch="b1")
    assert (ended["status"], ended["result"]) == (
        "done",
        {
            "answers": {ONE: 1},
            "problems": {TWO: f"serial: there is no board {TWO} on this host"},
            "codes": {TWO: "unknown-board"},
        },
    )
    told.event(ONE, "results", batch="b1", results=[["a", 1000]])
    assert told.call("c2", *call, TWO, batch="b1")["code"] == "unknown-board"


def test_a_failure_says_whether_it_is_the_boards(make: Make, commander: Peer) -> None:
    _, told, boards = make((ONE,), "pulse_count", FARMHAND_BOARD_RESULT_S="1")
    files = Depot(commander).add(none=b"no bitstream", hangs=bitstream(13), waits=bitstream(7))
    told.report(0, **{ONE: "ready"})
    told.lease(1, given(ONE))
    told.event(ONE, "initialized")
    boards[0].hangs = {13, 7}
    assert told.call("c1", "l1", "evaluate", files, ONE, batch="b1")["status"] == "done"
    causes: dict[str, Any] = {}
    for name in ("none", "hangs"):
        causes[name] = told.event(ONE, "evaluation-failed", evaluation=name)["contents"].get("cause")
    told.event(ONE, "initialized", waiting=1)
    wait_until("the next on the board", lambda: boards[0].received == [13, 7])
    boards[0].unplug()
    causes["waits"] = told.event(ONE, "evaluation-failed", evaluation="waits")["contents"].get("cause")
    assert causes == {"none": None, "hangs": "board", "waits": "board"}


def test_a_command_that_fails_in_an_unforeseen_way_is_answered(make: Make, tmp_path: Path) -> None:
    (tmp_path / "uhubctl").write_text("#!/nowhere\n")
    (tmp_path / "uhubctl").chmod(0o755)
    _, told, _ = make((ONE,), FARMHAND_BOARD_HUB="1-1", FARMHAND_BOARD_UHUBCTL=str(tmp_path / "uhubctl"))
    told.report(0, **{ONE: "ready"})
    ended = told.command("board", "c1", {"serial": ONE, "do": "power-cycle"})
    assert (ended["status"], ended["code"], ended["result"]["problem"][:12]) == ("failed", "fault", "FileNotFound")


def test_a_board_that_begins_late_counts_from_the_first_byte_of_a_bitstream(make: Make, commander: Peer) -> None:
    _, told, boards = make((ONE,), "pulse_count", FARMHAND_BOARD_PREPARE_S="2")
    boards[0].begins_s = 1.3  # the sentry has asked it by then
    files = Depot(commander).add(a=bitstream(1000), b=bitstream(7))
    told.report(0, **{ONE: "ready"})
    told.lease(1, given(ONE))
    told.event(ONE, "initialized")
    assert told.call("c1", "l1", "evaluate", files, ONE, batch="b1")["status"] == "done"
    for name, count in (("a", 1000), ("b", 7)):
        told.event(ONE, "results", batch="b1", results=[[name, count]])


def test_a_state_of_somebody_elses_package(make: Make, commander: Peer, tmp_path: Path) -> None:
    package = tmp_path / "site"
    (package / "echoes-1.0.dist-info").mkdir(parents=True)
    (package / "echoes.py").write_text(ECHO)
    (package / "echoes-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: echoes\nVersion: 1.0\n")
    entry = "[farmhand.board_states]\necho = echoes\nlost = echoes_that_are_not_there\n"
    (package / "echoes-1.0.dist-info" / "entry_points.txt").write_text(entry)
    path = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])

    sentry, told, boards = make((ONE,), "echo", PYTHONPATH=path)
    depot = Depot(commander)
    assert told.report(0, **{ONE: "ready"})["data"]["kinds"] == ["echo"]
    assert "the state lost (echoes_that_are_not_there) cannot be loaded" in sentry.log()
    assert "state pulsecount is not offered: FARMHAND_BOARD_PULSE_COUNT is not set" in sentry.log()
    told.lease(1, given(ONE, kind="echo", prefix="> "))
    told.event(ONE, "initialized")
    files = depot.add(text=b"hello\n")
    ended = told.call("c1", "l1", "shout", files, ONE, times=2)
    assert (ended["status"], ended["result"]) == ("done", {"answers": {ONE: 2}})
    for _ in range(2):
        assert told.event(ONE, "echoed")["contents"] == {"line": "> HELLO"}
    ended = told.call("c2", "l1", "mutter", [], ONE)
    assert ended["result"]["answers"] == {}
    assert "answer: must be" in ended["result"]["problems"][ONE]
    ended = told.call("c3", "l1", "shout", [{"name": str(n), "sha256": "0" * 64} for n in range(65)], ONE)
    assert "files: must be at most 64" in ended["result"]["problem"]
    boards[0].unplug()
    assert told.event(ONE, "farewell")["lease"] == "l1"
    told.event(ONE, "unplugged")
    told.expect("self/reported/leases", lambda each: each["rev"] == 1 and each.get("data", {}).get("boards") == {})
