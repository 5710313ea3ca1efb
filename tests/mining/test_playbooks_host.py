"""From the signed document to telemetry: a sentry, a real broker, real processes."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mining.hosts import Farm, MinerSentry, end, gone, is_alive, miner, packed, program
from tests.sentry.rig import HouseBroker, Peer
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@pytest.fixture
def farm(tmp_path: Path, broker: HouseBroker, commander: Peer) -> Iterator[Farm]:
    sentry = MinerSentry(tmp_path / "sentry", interval_s=60, window_least=2000)  # nobody stores what it sends
    sentry.enrolled(f"mqtt://127.0.0.1:{broker.port}", commander.verify)
    sentry.start()
    yield Farm(broker, commander, sentry)
    if sentry.process is not None:
        sentry.stop()
    for pid in sentry.pids().values():
        end(pid)


def test_from_the_document_to_telemetry_and_commands(farm: Farm) -> None:
    first, second = miner("cpu", env={"POOL": "a b'c"}), miner("gpu", "--print-time", "0.2")
    report = farm.runs(first, second)
    assert report["data"]["running_rev"] == 1
    pids = {name: each["pid"] for name, each in report["data"]["miners"].items()}
    assert {each["state"] for each in report["data"]["miners"].values()} == {"running"}
    assert farm.event("start")["why"] == f"pid {pids['cpu']}"
    told = farm.peer.expect("/miner-gpu/tele/miner", lambda data: data["state"] == "online")
    assert (told["algorithm"], told["software"]) == ("rx/0", "xmrig")
    assert 400 < told["hashrate"] < 600
    # its environment is its own, and of the sentry's nothing
    environ = Path(f"/proc/{pids['cpu']}/environ").read_bytes().decode().split("\0")
    assert {each.partition("=")[0] for each in environ if each} == {"PATH", "LANG", "HOME", "POOL", "FARMHAND_MINER"}
    assert "POOL=a b'c" in environ
    assert os.getpgid(pids["cpu"]) == pids["cpu"]
    script = farm.sentry.state / "miners" / "rigs" / "cpu" / "run.sh"
    assert stat.S_IMODE(script.stat().st_mode) == 0o700
    assert "POOL='a b'\"'\"'c'" in script.read_text()

    assert farm.do("pause") == {"state": "running", "release": "1.0", "pid": pids["cpu"], "paused": True}
    farm.peer.expect("/miner-cpu/tele/miner", lambda data: data["paused"] and data["state"] == "inactive")
    assert "paused" not in farm.do("resume")
    farm.peer.expect("/miner-cpu/tele/miner", lambda data: data["state"] == "online")
    again = farm.do("restart")["pid"]
    assert again != pids["cpu"]
    assert not is_alive(pids["cpu"])
    lines = farm.ask("miner-log", name="gpu", lines=2)["result"]["lines"]
    assert len(lines) == 2
    assert "speed 10s/60s/15m" in lines[-1]
    assert farm.ask("miner", name="asic", do="stop")["result"] == {
        "field": "name",
        "problem": "must be a miner of this host: cpu, gpu",
    }

    assert farm.do("stop") == {"state": "stopped", "release": "1.0"}
    farm.peer.expect("/miner-cpu/tele/miner", lambda data: data["state"] == "idle")
    assert farm.ask("miner", name="cpu", do="pause")["result"]["problem"].endswith("does not run: it is stopped")
    farm.sentry.stop(signal.SIGKILL)
    farm.sentry.start()  # what was stopped stays stopped, what ran runs
    report = farm.reported("applied", cpu="stopped", gpu="running")
    assert report["data"]["miners"]["gpu"]["pid"] == pids["gpu"]
    assert "pid" in farm.do("start")
    farm.peer.expect("/miner-cpu/tele/miner", lambda data: data["state"] == "online")
    farm.runs()
    assert farm.sentry.pids() == {}
    assert not is_alive(pids["gpu"])
    assert not script.exists()


def test_miners_outlive_their_sentry(farm: Farm) -> None:
    """Killed at any moment, it finds them again, and never starts a second one."""
    farm.runs(miner("cpu"), miner("other"))
    before = farm.sentry.pids()
    farm.peer.publish(*farm.peer.command("restart", "again"))  # the same process, and so the same children
    assert farm.peer.expect("/ack/again", lambda answer: answer["status"] == "done")
    assert farm.ask("miner-log", name="cpu")["status"] == "done"  # it has found them
    assert farm.sentry.pids() == before
    os.kill(before["cpu"], signal.SIGKILL)
    assert farm.event("crash")["why"] == "was ended by signal 9"
    before["cpu"] = wait_until("another process", lambda: farm.sentry.pids().get("cpu"))
    farm.sentry.stop(signal.SIGKILL)
    note = farm.sentry.state / "miners" / "miners.json"
    note.write_text(note.read_text().replace(f'"pid": {before["other"]}', '"pid": 1'))  # as if it was not noted yet
    farm.sentry.start()
    assert farm.ask("miner-log", name="cpu")["status"] == "done"
    assert farm.sentry.pids() == before
    assert farm.sentry.stop() == 0
    assert all(is_alive(pid) for pid in before.values())
    farm.broker.stop()
    farm.sentry.start()
    os.kill(before["cpu"], signal.SIGKILL)  # without a broker it is started again
    wait_until("another process", lambda: farm.sentry.pids().get("cpu", before["cpu"]) != before["cpu"])
    assert farm.sentry.pids()["other"] == before["other"]
    farm.sentry.stop(signal.SIGKILL)
    note.unlink()  # now nothing says what shall run, so what runs is nobody's
    farm.broker.start()
    farm.sentry.start()
    gone(before["other"])


def test_a_revision_that_does_not_hash_goes_back(farm: Farm) -> None:
    good = miner("cpu")
    farm.runs(good)
    rev = farm.want(miner("cpu", "--silent", grace_s=5))
    assert "went back" in farm.peer.expect("/self/alert/playbooks", bool)["text"]
    report = farm.reported("failed")
    assert report["error"] == f"miner cpu: not hashing within 5 s; went back to revision {rev - 1}"
    assert report["data"]["running_rev"] == rev - 1
    farm.peer.expect("/miner-cpu/tele/miner", lambda data: data["state"] == "online")
    farm.sentry.stop()
    farm.peer.expect("/self/state", lambda word: word == "disconnected")
    pid = farm.sentry.pids()["cpu"]
    farm.sentry.start()  # the one that failed is not tried again
    farm.peer.expect("/self/state", lambda word: word == "ready")
    report = farm.reported("failed", rev, cpu="running")
    assert (report["data"]["running_rev"], report["data"]["miners"]["cpu"]["pid"]) == (rev - 1, pid)
    farm.want(miner("cpu", "--crash-after", "0.3", "--silent"))
    report = farm.reported("failed")
    assert "miner cpu: ended with code 1; given up after 3 times in a row; went back" in report["error"]
    farm.want(good)
    farm.peer.expect("/self/alert/playbooks", lambda alert: not alert)
    farm.reported("applied")


def test_a_document_that_cannot_be_changes_nothing(farm: Farm, tmp_path: Path) -> None:
    archive = packed(tmp_path / "simulated")
    pid = farm.runs(miner("cpu"))["data"]["miners"]["cpu"]["pid"]
    where = next(iter(miner()["programs"]))
    folder = farm.sentry.state / "miners"
    before = sorted(folder.rglob("*"))
    for change, why in (
        ({"programs": {"plan9-mips": program()}}, f"programs: nothing for {where}; there is: plan9-mips"),
        ({"programs": {where: program(sha256="0" * 64)}}, "programs.sha256: of "),
        ({"programs": {where: program(archive, archive="tar", member="../simulated")}}, "leaves the folder"),
        ({"programs": {where: program(archive, archive="tar", member="bin/other")}}, "no file 'bin/other'"),
        ({"env": {"LD_PRELOAD": "x"}}, "env.LD_PRELOAD: must be"),
        ({"cpus": [4000]}, "cpus: this host has no processor 4000"),
        ({"adapter": "cgminer", "schedule": [{"days": [], "from": "25:00", "to": "06:00"}]}, "schedule.from: must be"),
    ):  # fmt: skip
        farm.want(miner("cpu"), miner("other", **change))
        report = farm.reported("failed")
        assert report["error"].startswith("miner other: ")
        assert why in report["error"]
        assert report["data"]["running_rev"] == 1
        assert report["data"]["miners"]["cpu"]["pid"] == pid
    assert sorted(each for each in folder.rglob("*") if each.name != "software") == before
    farm.want(miner("cpu"), miner("cpu"))
    assert farm.reported("failed")["error"] == "miner cpu: name: is there twice"
    installed = miner("cpu", programs={where: program(archive, archive="tar", member="bin/simulated")})
    assert farm.runs(installed)["data"]["miners"]["cpu"]["pid"] != pid
    assert is_alive(farm.sentry.pids()["cpu"])
