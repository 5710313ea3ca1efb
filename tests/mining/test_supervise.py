"""One miner: ended by force, started again, given up, frozen, as another user; its log; the watchdog's deeds."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.errors import SentryError
from sentry.host_os import system
from sentry.mining import miner_log, process, run_script
from sentry.mining.miner_settings import MinerSettings
from sentry.mining.rollout import here
from sentry.mining.settings import load
from tests.conftest import ROOT
from tests.conftest import program as found_program
from tests.mining.hosts import Farm, MinerSentry, end, gone, is_alive, miner, packed, program
from tests.sentry.rig import HouseBroker, Peer
from tests.support.ports import free_ports
from tests.support.waiting import wait_until


@pytest.fixture
def make_farm(tmp_path: Path, broker: HouseBroker, commander: Peer) -> Iterator[Callable[..., Farm]]:
    """A sentry that runs, with these FARMHAND_MINER_ settings."""
    made: list[MinerSentry] = []

    def make(**settings: Any) -> Farm:
        sentry = MinerSentry(tmp_path / "sentry", interval_s=60, window_least=2000)
        sentry.miner = settings
        sentry.enrolled(f"mqtt://127.0.0.1:{broker.port}", commander.verify)
        sentry.start()
        made.append(sentry)
        return Farm(broker, commander, sentry)

    yield make
    for sentry in made:
        if sentry.process is not None:
            sentry.stop()
        for pid in sentry.pids().values():
            end(pid)


@pytest.mark.broker
@pytest.mark.timeout(240)
def test_stopping_starting_and_giving_up(make_farm: Callable[..., Farm], tmp_path: Path) -> None:
    farm = make_farm(stop_s=0.5, log_bytes=8192)
    # a program that nobody can ask, with a child, that does not mind SIGTERM, and says much
    stubborn = tmp_path / "stubborn"
    stubborn.write_text(
        "#!/bin/sh\ntrap '' TERM\nsleep 1000 &\necho child $!\nwhile echo 0123456789abcdef$1; do sleep 0.01; done\n"
    )
    stubborn.chmod(0o755)
    wild = {"programs": {here(): program(stubborn)}, "args": ["; touch /tmp/x"], "adapter": "none", "api": {}}
    wild.pop("api")
    cpus = sorted(os.sched_getaffinity(0))[:1]
    report = farm.runs(miner("wild", nice=7, cpus=cpus, **wild), miner("cpu"))
    pid = report["data"]["miners"]["wild"]["pid"]
    assert psutil.Process(pid).nice() == 7
    assert psutil.Process(pid).cpu_affinity() == cpus
    farm.peer.expect("/miner-wild/tele/miner", lambda data: data["state"] == "online")
    log = farm.sentry.state / "miners" / "rigs" / "wild" / "log"
    wait_until("a cut log", log.with_name("log.1").exists)
    assert log.stat().st_size + log.with_name("log.1").stat().st_size < 3 * 8192
    assert farm.ask("miner-log", name="wild", lines=1)["result"]["lines"] == ["0123456789abcdef; touch /tmp/x"]
    children = [each.pid for each in psutil.Process(pid).children()]
    assert farm.do("pause", "wild")["paused"]
    wait_until("its stand", lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)  # a signal takes its time
    farm.sentry.stop(signal.SIGKILL)
    farm.sentry.start()  # frozen it stays
    farm.reported("applied", wild="running")
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    farm.do("stop", "wild")
    gone(pid)
    for each in children:
        gone(each)
    farm.do("start", "wild")
    farm.event("start", "wild")

    # a crash loop is given up, with an alert; the other miner does not notice
    cpu = farm.sentry.pids()["cpu"]
    stubborn.write_text("#!/bin/sh\nexit 3\n")
    os.kill(farm.sentry.pids()["wild"], signal.SIGKILL)
    assert farm.event("crash", "wild")["why"] == "was ended by signal 9"
    alert = farm.peer.expect("/self/alert/miner-wild-crash", bool)
    assert alert["severity"] == "error"
    assert "sha256: of " in alert["text"]  # it is no longer the program that was ordered
    assert "given up after 3 times in a row" in alert["text"]
    assert farm.sentry.pids() == {"cpu": cpu}
    farm.want(miner("cpu"))
    assert farm.peer.expect("/self/alert/miner-wild-crash") == ""
    farm.reported("applied")


@pytest.mark.broker
@pytest.mark.timeout(240)
def test_the_watchdog_acts_without_a_network(make_farm: Callable[..., Farm], tmp_path: Path) -> None:
    done = tmp_path / "done"
    farm = make_farm(restart_driver=f"/bin/sh -c 'echo $0 >> {done}' driver", poll_s=0.2)
    watch = [
        {"watch": "hashrate", "below": 100_000, "for_s": 0, "act": "restart-driver", "per_hour": 2},
        {"watch": "temperature", "above": 90, "for_s": 0, "act": "alert"},
    ]
    hang = [{"watch": "silence", "above": 0.5, "for_s": 0, "act": "restart-miner", "per_hour": 1}]
    report = farm.runs(miner("cpu", watchdog=watch), miner("hung", "--hang-after", "1", watchdog=hang))
    first = report["data"]["miners"]["hung"]["pid"]
    farm.broker.stop(signal.SIGKILL)
    wait_until("two restarts of the driver", lambda: done.exists() and done.read_text() == "driver\ndriver\n")
    wait_until("another process", lambda: farm.sentry.pids().get("hung", first) != first)
    farm.broker.start()
    alert = farm.peer.expect(
        "/self/alert/miner-cpu-hashrate", lambda alert: alert and "all that is allowed" in alert["text"]
    )
    assert "is below 100000 H/s for 0 s; restart-driver was done 2 times within an hour" in alert["text"]
    assert farm.peer.expect("/miner-hung/evt/miner", lambda each: each["did"] == "deed")["why"].startswith(
        "restart-miner: no a"
    )
    farm.send("miner", do="maintenance-on")
    farm.peer.expect("/self/alert/miner-cpu-hashrate", lambda alert: not alert)
    farm.send("miner", do="maintenance-off")
    farm.peer.expect("/self/alert/miner-cpu-hashrate", bool)
    farm.runs()
    assert done.read_text() == "driver\ndriver\n"
    farm.send("miner", do="maintenance-on")
    farm.peer.expect("/self/reported/playbooks", lambda report: report["data"].get("maintenance") is True)
    farm.send("miner", do="maintenance-off")
    farm.peer.expect("/self/reported/playbooks", lambda report: "maintenance" not in report["data"])


@pytest.mark.broker
@pytest.mark.timeout(240)
@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_miners_of_root_are_another_user(make_farm: Callable[..., Farm], tmp_path: Path) -> None:
    farm = make_farm(allow_root="no")
    farm.want(miner("cpu"))
    assert (
        farm.reported("failed")["error"]
        == "FARMHAND_MINER_USER: must name the miners' user, since the sentry runs as root"
    )
    farm.sentry.stop()
    farm.sentry.miner = {"user": "nobody"}
    farm.sentry.start()
    what = "FARMHAND_MINER_USER: nobody may not enter "
    farm.peer.expect("/self/reported/playbooks", lambda report: report and what in report.get("error", ""))
    farm.sentry.stop()
    archive = packed(tmp_path / "simulated")
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        farm.sentry.miner = {"user": "nobody", "folder": f"{folder}/miners"}
        farm.sentry.start()
        installed = {here(): program(archive, archive="tar", member="bin/simulated")}
        pid = farm.runs(miner("cpu", programs=installed))["data"]["miners"]["cpu"]["pid"]
        assert psutil.Process(pid).username() == "nobody"
        farm.runs()


@pytest.mark.broker
@pytest.mark.monero
@pytest.mark.timeout(240)
def test_a_real_node(make_farm: Callable[..., Farm]) -> None:
    """Debian's monerod: installed by its path, started, asked, killed, started again, stopped."""
    path = found_program("monerod")
    assert path is not None
    rpc, p2p = free_ports(2)
    args = [
        "--regtest", "--offline", "--fixed-difficulty", "1000000", "--rpc-bind-port", str(rpc),
        "--p2p-bind-ip", "127.0.0.1", "--p2p-bind-port", str(p2p), "--non-interactive", "--no-zmq", "--no-igd",
        "--disable-dns-checkpoints", "--check-updates", "disabled",
    ]  # fmt: skip
    real = miner("node", software="monerod", release="0.18", programs={here(): program(path.resolve())}, args=args,
                 adapter="monerod", api={"port": rpc}, grace_s=60)  # fmt: skip
    farm = make_farm(stop_s=20, poll_s=0.5)
    pid = farm.runs(real)["data"]["miners"]["node"]["pid"]
    told = farm.peer.expect("/miner-node/tele/miner", lambda data: data.get("height"))
    assert (told["software"], told["network"]) == ("monerod", "fakechain")
    assert (farm.sentry.state / "miners" / "rigs" / "node" / "home" / ".bitmonero").is_dir()
    os.kill(pid, signal.SIGKILL)
    assert farm.event("crash", "node")["why"] == "was ended by signal 9"
    wait_until("another process", lambda: farm.sentry.pids().get("node", pid) != pid)
    again = farm.sentry.pids()["node"]
    farm.peer.expect("/miner-node/tele/miner", lambda data: data.get("height"))
    farm.do("stop", "node")
    gone(again)
    wait_until("nobody's number", lambda: "node" not in farm.sentry.pids())
    assert any("Monero" in line for line in farm.ask("miner-log", name="node", lines=1000)["result"]["lines"])


def test_the_log_keeps_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    handle = system.open_log(log)
    for number in range(1000):
        os.write(handle, b"\x1b[1;32mline %d\x1b[0m\n" % number)
        miner_log.bound(log, 4096)
    os.close(handle)
    assert miner_log.last_lines(log, 3) == ["line 997", "line 998", "line 999"]
    lines = miner_log.last_lines(log, 1000)
    assert lines == [f"line {n}" for n in range(1000 - len(lines), 1000)] or lines[1:] == [
        f"line {n}" for n in range(1001 - len(lines), 1000)
    ]
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 4500
    assert miner_log.last_lines(tmp_path / "none", 3) == []


def test_a_process_number_alone_is_nobody() -> None:
    me = process.Identity(os.getpid(), 0, process.boot_id())
    assert process.find(me) is None
    assert process.find(process.Identity(os.getpid(), 0, "another boot")) is None
    process.kill(me)  # it is not that one
    assert is_alive(os.getpid())


words = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=20)


@given(st.lists(words, min_size=1, max_size=4))
def test_the_script_has_the_same_arguments(args: list[str]) -> None:
    import shlex

    text = run_script.shell(["/bin/x", *args], {"A": args[0]}, "/tmp")
    assert shlex.split(text.partition("exec ")[2]) == ["env", "-i", f"A={args[0]}", "/bin/x", *args]


def test_a_batch_file_runs_nothing_else() -> None:
    text = run_script.batch(["C:\\x y\\m.exe", "100%", "a&b", "tail\\"], {"A": "%B%"}, "C:\\f")
    assert text.splitlines()[3:] == ['set "A=%%B%%"', '"C:\\x y\\m.exe" "100%%" "a&b" "tail\\\\"']
    with pytest.raises(ValueError, match="quotation mark"):
        run_script.batch(["x", '" & calc "'], {}, "C:\\f")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("USER", "root", "unprivileged"),
        ("USER", "no-such-user", "is no user of this host"),
        ("REBOOT", "reboot now", "'reboot' must be the whole path"),
        ("FOLDER", "miners", "whole path"),
        ("CATALOG", "all", "'farm' or 'host'"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str) -> None:
    monkeypatch.setenv(f"FARMHAND_MINER_{name}", value)
    with pytest.raises(SentryError, match=f"FARMHAND_MINER_{name}: .*{why}"):
        load(MinerSettings)


def test_settings_are_documented() -> None:
    text = (ROOT / "docs" / "host.md").read_text()
    rows = dict(re.findall(r"^\| `FARMHAND_MINER_([A-Z_]+)` \| ([^|]*) \|", text, re.MULTILINE))
    assert set(rows) == {name.upper() for name in MinerSettings.model_fields}
    for name, field in MinerSettings.model_fields.items():
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert rows[name.upper()].split(" ")[0].replace(",", "") == str(field.default), name
