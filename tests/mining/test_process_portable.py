"""Miners looked after by psutil and subprocess alone, as on Windows; run here, where that can be chosen, too."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from sentry.mining import process, process_portable
from sentry.mining.processes import MARK, Identity, Launch, mark_of
from tests.mining.hosts import Farm, MinerSentry, end, gone, is_alive, miner
from tests.sentry.rig import HouseBroker, Peer
from tests.support.waiting import wait_until

# It has a child, says so, and minds SIGTERM or not.
TREE = """
import signal, subprocess, sys, time
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
print(child.pid, flush=True)
time.sleep(1000)
"""
# A sentry that is killed right after it has started one.
PARENT = """
import sys
from pathlib import Path
from sentry.mining import process_portable
from sentry.mining.processes import Launch
folder = Path(sys.argv[1])
launch = Launch(Path(sys.executable), ["-c", sys.argv[3], "kind"], {}, folder, folder / "log")
print(process_portable.start(launch, sys.argv[2]).id.pid, flush=True)
import os
os._exit(0)
"""


def launch(folder: Path, *args: str, **change: object) -> Launch:
    return Launch(Path(sys.executable), args, {"A": "b"}, folder, folder / "log", **change)  # type: ignore[arg-type]


def tree(folder: Path, how: str = "kind", **change: object) -> Launch:
    return launch(folder, "-c", TREE, how, **change)


def child_of(log: Path) -> int:
    return int(wait_until("its child's number", lambda: log.exists() and log.read_text().strip()))


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    mark = mark_of(tmp_path, "cpu", "digest")
    yield mark
    for found in process_portable.marked(mark).values():
        for each in found:
            process_portable.kill(each)


def test_it_is_what_was_ordered(tmp_path: Path, mark: str) -> None:
    cpus = sorted(os.sched_getaffinity(0))[:1]

    async def use() -> None:
        found = process_portable.start(tree(tmp_path, nice=7, cpus=cpus), mark)
        over = asyncio.Event()
        found.watch(over.set)
        there = psutil.Process(found.id.pid)
        assert (there.nice(), there.cpu_affinity(), there.cwd()) == (7, cpus, str(tmp_path))
        child = await asyncio.to_thread(child_of, tmp_path / "log")
        assert set(there.environ()) == {"PATH", "LANG", "HOME", "A", MARK}
        assert process_portable.group(child) == process_portable.group(found.id.pid) == found.id.pid
        assert process_portable.marked(mark_of(tmp_path)) == {
            "cpu#digest": [found.id, process_portable.marked(mark)[""][1]]
        }
        found.freeze()
        for pid in (found.id.pid, child):
            wait_until("it stands still", lambda pid=pid: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        assert await found.stop(30)  # also while it stands still
        assert over.is_set()
        assert found.code == -signal.SIGTERM
        gone(child)

    asyncio.run(use())


def test_who_does_not_end_is_killed_and_nothing_is_left(tmp_path: Path, mark: str) -> None:
    async def use() -> None:
        found = process_portable.start(tree(tmp_path, "stubborn"), mark)
        found.watch(lambda: None)
        child = await asyncio.to_thread(child_of, tmp_path / "log")
        assert await found.stop(0.5)
        assert found.code == -signal.SIGKILL
        gone(child)
        # the first one alone ends, by itself: nobody knows any more who had started the other
        (tmp_path / "log").unlink()
        found = process_portable.start(tree(tmp_path), mark)
        found.watch(lambda: None)
        child = await asyncio.to_thread(child_of, tmp_path / "log")
        psutil.Process(found.id.pid).kill()
        await asyncio.wait_for(found.ended.wait(), 30)
        gone(child)
        assert process_portable.find(found.id) is None

    asyncio.run(use())


def test_it_is_found_again_after_its_parent_ended(tmp_path: Path, mark: str) -> None:
    async def use() -> None:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PARENT, str(tmp_path), mark, TREE, stdout=asyncio.subprocess.PIPE
        )
        pid = int((await parent.communicate())[0])
        child = await asyncio.to_thread(child_of, tmp_path / "log")
        who = process_portable.marked(mark)[""][0]
        assert (who.pid, process_portable.group(child)) == (pid, pid)
        found = process_portable.find(who)
        assert found is not None
        found.watch(lambda: None)
        assert await found.stop(30)
        assert found.code is None  # not our child
        assert not is_alive(pid)
        gone(child)

    asyncio.run(use())


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        process_portable.start(Launch(tmp_path / "none", [], {}, tmp_path, tmp_path / "log"), "x#")


def test_a_process_number_alone_is_nobody() -> None:
    me = process_portable._identity(psutil.Process())
    assert process_portable.find(me) is not None
    for other in (Identity(me.pid, me.started + 1, me.boot), Identity(me.pid, me.started, str(int(me.boot) - 3600))):
        assert process_portable.find(other) is None
        process_portable.kill(other)
    # noted by the care for processes that Linux has
    assert process_portable.find(Identity(me.pid, me.started, process.boot_id())) is None


@pytest.mark.broker
@pytest.mark.timeout(240)
def test_a_sentry_with_such_miners(tmp_path: Path, broker: HouseBroker, commander: Peer) -> None:
    """From the document to telemetry; killed at any moment, it finds them again, and never starts a second one."""
    sentry = MinerSentry(tmp_path / "sentry", interval_s=60, window_least=2000)
    sentry.miner = {"processes": "portable"}
    sentry.enrolled(f"mqtt://127.0.0.1:{broker.port}", commander.verify)
    sentry.start()
    farm = Farm(broker, commander, sentry)
    node = {name: each for name, each in miner("node", adapter="none").items() if name != "api"}
    try:
        report = farm.runs(miner("cpu", nice=3), node)
        before = {name: each["pid"] for name, each in report["data"]["miners"].items()}
        assert farm.peer.expect("/miner-cpu/tele/miner", lambda data: data["state"] == "online")["hashrate"] > 400
        assert farm.do("pause", "node")["paused"]
        wait_until("it stands still", lambda: psutil.Process(before["node"]).status() == psutil.STATUS_STOPPED)
        assert "paused" not in farm.do("resume", "node")
        os.kill(before["cpu"], signal.SIGKILL)
        assert farm.event("crash")["why"] == "was ended by signal 9"
        wait_until("another process", lambda: sentry.pids().get("cpu", before["cpu"]) != before["cpu"])
        before = sentry.pids()
        farm.peer.publish(*farm.peer.command("restart", "again"))  # the same process, and so the same children
        assert farm.peer.expect("/ack/again", lambda answer: answer["status"] == "done")
        assert farm.ask("miner-log", name="cpu")["status"] == "done"  # it has found them
        assert sentry.pids() == before
        sentry.stop(signal.SIGKILL)
        note = sentry.state / "miners" / "miners.json"
        note.write_text(note.read_text().replace(f'"pid": {before["node"]}', '"pid": 1'))  # as if it was not noted yet
        sentry.start()
        assert farm.ask("miner-log", name="cpu")["status"] == "done"
        assert sentry.pids() == before
        assert farm.do("stop") == {"state": "stopped", "release": "1.0"}
        assert not is_alive(before["cpu"])
        sentry.stop(signal.SIGKILL)
        note.unlink()  # now nothing says what shall run, so what runs is nobody's
        sentry.start()
        wait_until("another process", lambda: sentry.pids().get("node", before["node"]) != before["node"])
        gone(before["node"])
        farm.runs()
        assert sentry.pids() == {}
    finally:
        if sentry.process is not None:
            sentry.stop()
        for pid in sentry.pids().values():
            with suppress(ProcessLookupError):
                end(pid)
