"""Every program of client/examples, run as its README says, on virtual boards; on those of a live farm with --url."""

import csv
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from farmhand_client import PulseCountClient

from sentry.boards.virtual.bus import ask
from sentry.boards.virtual.noise import variance
from tests.boards.circuits import need_tools, pulses
from tests.conftest import LOCAL_PROGRAMS, ROOT
from tests.support.farms import HOUSE, HTTP
from tests.system.farm import Farm, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

BOARDS = 6
DIVIDERS = (7, 100)
BITSTREAMS = [f"bitstreams/by-{by}.bin" for by in DIVIDERS]
WAIT_S = 120


class Examples:
    """A copy of the folder, whose bitstreams its Makefile has built, and programs that run in it."""

    def __init__(self, folder: Path, url: str, key: str | None) -> None:
        self.folder, self.url, self.key = folder, url, key
        paths = os.pathsep.join([str(ROOT / "client"), os.environ.get("PYTHONPATH", "")])
        self._environment = {**os.environ, "PYTHONPATH": paths, "FARMHAND_URL": url}
        self._environment |= {"FARMHAND_KEY": key} if key else {}
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        # Ctrl-C is tried too, which tests that run in the background would not pass on.
        command = ["env", "--default-signal=INT", sys.executable, *words]
        env = {**self._environment, **environment}
        out = subprocess.Popen(
            command, cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._started.append(out)
        return out

    def end(self) -> None:
        for each in self._started:
            if each.poll() is None:
                each.kill()
            each.communicate()


def told(process: subprocess.Popen[str]) -> list[str]:
    """All lines of a program that ends by itself."""
    out, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, out + errors
    return out.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_tools()
    made = tmp_path_factory.mktemp("examples") / "examples"
    shutil.copytree(ROOT / "client" / "examples", made, ignore=shutil.ignore_patterns("*.bin", "__pycache__"))
    path = os.pathsep.join([str(LOCAL_PROGRAMS), os.environ["PATH"]])
    command = ["make", "-s", "-j2", "-C", str(made / "bitstreams"), *(Path(each).name for each in BITSTREAMS)]
    done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="module")
def farm(folder: Path, request: pytest.FixtureRequest) -> Iterator[Farm | None]:
    """Its sentry has the state of own_state; None: somebody else's farm."""
    if request.config.getoption("--farmhand-url"):
        yield None
        return
    package = folder / "own_state"
    about = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    ((group, states),) = about["entry-points"].items()
    installed = package / "stability_state-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    (installed / "entry_points.txt").write_text(f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in states.items()))
    paths = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    made = Farm(folder.parent / "state", HOUSE + HTTP, PYTHONPATH=paths)
    try:
        yield made.up("--boards", str(BOARDS))
    finally:
        made.end()


@pytest.fixture(scope="module")
def examples(farm: Farm | None, folder: Path, request: pytest.FixtureRequest) -> Iterator[Examples]:
    options = request.config
    url, key = options.getoption("--farmhand-url"), options.getoption("--farmhand-key")
    made = Examples(folder, farm.api.url if farm else url, farm.api.key if farm else key)
    yield made
    made.end()


@pytest.fixture(scope="module")
def running(examples: Examples, farm: Farm | None) -> dict[str, subprocess.Popen[str]]:
    """Those that only wait for their boards, all at once."""
    started = {
        name: examples.start(name, *BITSTREAMS) for name in ("pulse_count.py", "with_asyncio.py", "variance_csv.py")
    }
    plugins = ("-p", "farmhand_client.pytest_plugin", "-p", "no:cacheprovider")
    started["pytest"] = examples.start("-m", "pytest", "-q", *plugins, "test_my_circuit.py")
    if farm:
        words = ("own_state/measure.py", BITSTREAMS[0], "--url", farm.api.url, "--key", farm.api.key)
        started["measure.py"] = examples.start(*words, FARMHAND_URL="http://127.0.0.1:1", FARMHAND_KEY="")
    return started


Running = dict[str, subprocess.Popen[str]]


@pytest.mark.parametrize("name", ["pulse_count.py", "with_asyncio.py"])
def test_pulse_counts(running: Running, name: str) -> None:
    lines = told(running[name])
    middle = lines.index("the first on both, the others on one")
    assert lines[0] == "each on both boards"
    serials = {line.split()[0] for line in lines[1:middle]}
    assert len(serials) == 2
    first, second = (f"by-{by}.bin: {pulses(by)}" for by in DIVIDERS)
    assert sorted(lines[1:middle]) == sorted(f"{serial} {each}" for serial in serials for each in (first, second))
    both = {f"{serial} {first}" for serial in serials}
    assert both < set(lines[middle + 1 :])
    assert {*lines[middle + 1 :]} - both <= {f"{serial} {second}" for serial in serials}
    assert len(lines[middle + 1 :]) == 3


def test_variances(running: Running, farm: Farm | None, folder: Path) -> None:
    process = running["variance_csv.py"]
    out, summary = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, summary
    rows = list(csv.DictReader(out.splitlines()))
    found = {
        name: [float(row["variance"]) for row in rows if row["bitstream"] == name]
        for name in ("by-7.bin", "by-100.bin")
    }
    assert [len(values) for values in found.values()] == [2, 2]
    for name, values in found.items():
        assert f"{name}: {statistics.mean(values):.3f} +- {statistics.pstdev(values):.3f}, 2 times" in summary
    for row in rows if farm else ():
        content = (folder / "bitstreams" / row["bitstream"]).read_bytes()
        by = int(row["bitstream"].removesuffix(".bin").removeprefix("by-"))
        assert float(row["variance"]) == variance(pulses(by), content, row["serial"].upper())


def test_the_pytest_file(running: Running) -> None:
    assert "2 passed" in told(running["pytest"])[-1]


def test_a_state_of_ones_own(running: Running) -> None:
    if "measure.py" not in running:
        pytest.skip("the sentries of the farm of --url have no such state")
    lines = told(running["measure.py"])
    assert lines[:3] == [f"{number}: {pulses(7)}" for number in (1, 2, 3)]
    assert lines[3].startswith("they differ by 0; the console of ")
    assert [line for line in lines[4:] if "pulses" in line] == [f"  board: pulses: {pulses(7)}, gate 10 ms"] * 3


def test_a_big_job_goes_on_after_it_was_ended(examples: Examples, folder: Path, running: Running) -> None:
    job = folder / "job"
    job.mkdir()
    expected: dict[str, str] = {}
    for number in range(6):
        by = DIVIDERS[number % 2]
        shutil.copy(folder / "bitstreams" / f"by-{by}.bin", job / f"{number}.bin")
        expected[f"{number}.bin"] = str(pulses(by))
    batch = f"examples-{os.getpid()}-{os.urandom(4).hex()}"
    words = ("big_job.py", "job", "results.csv", "--batch", batch)
    looker = PulseCountClient(examples.url, "looks", key=examples.key)

    def kept() -> list[str]:
        return [row["evaluation"] for row in looker.results(batch=batch)]

    for number, end in ((1, signal.SIGINT), (3, signal.SIGKILL)):
        process = examples.start(*words)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(number)]
        assert all(lines), process.communicate()
        process.send_signal(end)
        process.communicate(timeout=WAIT_S)
    known = kept()
    assert len(known) >= 3
    told(examples.start(*words))
    with (folder / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["bitstream"]: row["pulses"] for row in rows} == expected
    assert len(rows) == len(expected)
    times = Counter(kept())
    assert all(times[name] == 1 for name in known), "what was there was not evaluated again"
    looker.close()


def test_events(farm: Farm | None, examples: Examples, running: Running) -> None:
    if farm is None:
        pytest.skip("it unplugs a board, which is not for the farm of --url")
    keys = [farm.api.post("/keys", {"name": name, "role": "operator"})["key"] for name in ("events", "waits")]
    with (
        PulseCountClient(farm.api.url, "holds the others", key=keys[0]) as holder,
        PulseCountClient(farm.api.url, "waits", key=keys[1]) as waiter,
    ):
        wait_for("all boards", lambda: farm.api.get("/boards/available")["count"] == BOARDS)
        for _ in range(BOARDS - 2):  # a lease's last board is never asked for
            holder.reserve(1, wait_for_available=True)
        process = examples.start("events.py", *BITSTREAMS, "--times", "40", FARMHAND_KEY=keys[0])
        stdout = process.stdout
        assert stdout is not None
        lines: list[str] = []

        def hear(words: str) -> str:
            """The board that the next line with these words begins with."""
            while line := stdout.readline():
                lines.append(line.rstrip())
                if words in line:
                    return line.split()[0]
            raise AssertionError(f"{words!r} is not in {lines}; {process.communicate()[1]}")

        mine = {hear(" can be used"), hear(" can be used")}
        while not all(any(f"{path.partition('/')[2]}: " in line for line in lines) for path in BITSTREAMS):
            hear(".bin: ")
        (given,) = waiter.reserve(1, wait_for_available=True, available_timeout=WAIT_S)
        hear("somebody waits for 1 of")
        assert {given} < mine == {*lines[-1].split()[-2:]}
        assert hear(" is gone: ") == given
        (left,) = mine - {given}
        bus = farm.state / "boards"
        ask(bus, "unplug", left.upper())
        assert hear(" fails: ") == left
        ask(bus, "plug", left.upper())
        assert hear(" can be used") == left
        process.send_signal(signal.SIGINT)
        assert hear(" is gone: ") == left
        process.communicate(timeout=WAIT_S)
    counts = {line.split(" ", 1)[1] for line in lines if ".bin: " in line and line.split(".bin: ")[1].isdigit()}
    assert counts == {f"by-{by}.bin: {pulses(by)}" for by in DIVIDERS}
