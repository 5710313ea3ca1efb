"""People's iCEFARM scripts, unchanged, at a farm of virtual boards that truly evaluate."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.boards.circuits import bitstream, divider, need_tools, pulses
from tests.boards.icefarm.clients import PACKAGES, VERSIONS, OldClient, need_icefarm
from tests.support.farms import HOUSE, HTTP
from tests.support.ports import free_ports
from tests.system.farm import Farm, wait_for
from tests.system.relay import Relay

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

DIVIDERS = (7, 100)
SCRIPT = """
import json, logging, os, sys
from icefarm.client.drivers import PulseCountClient

client = PulseCountClient(sys.argv[1], sys.argv[2], logging.getLogger(__name__))
serials = client.reserve(2)
results = []
for found in client.evaluateBitstreams(sys.argv[3:]):
    if isinstance(found, tuple):  # 0.1.15
        serial, path, value = found
    else:  # 0.1.16
        serial, path, value = found.serial, found.evaluation.filepath, found.value
    results.append([serial, path, value])
extended, other = client.extend(serials), client.extendAll()
print(json.dumps({
    "serials": serials, "results": results, "extended": extended, "all": other,
    "ended": client.end(serials[:1]), "rest": client.endAll(),
}), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    need_tools()
    state, (port,) = tmp_path_factory.mktemp("icefarm") / "state", free_ports(1)
    with Farm(state, HOUSE + HTTP, FARMHAND_ICEFARM=f"127.0.0.1:{port}").up("--boards", "2") as found:
        yield found


@pytest.fixture
def wire(farm: Farm) -> Iterator[Relay]:
    made = Relay(int(farm.environment["FARMHAND_ICEFARM"].rpartition(":")[2]))
    yield made
    made.close()


def run(farm: Farm, version: str, name: str, *files: Path) -> dict[str, Any]:
    url = f"http://{farm.environment['FARMHAND_ICEFARM']}"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, url, name, *map(str, files)],
        env={**os.environ, "PYTHONPATH": str(PACKAGES / version)},
        cwd=farm.state,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr + farm.logs()
    return json.loads(done.stdout)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_script_counts_what_the_circuits_give(farm: Farm, version: str, tmp_path: Path) -> None:
    need_icefarm(version)

    def all_free() -> bool:
        return farm.api.get("/boards/available")["count"] == 2

    wait_for("both boards", all_free)
    files = {tmp_path / f"by-{by}.bin": pulses(by) for by in DIVIDERS}
    for path, by in zip(files, DIVIDERS, strict=True):
        path.write_bytes(bitstream(divider(by)))
    (short := tmp_path / "short.bin").write_bytes(b"no bitstream")
    told = run(farm, version, f"script {version}", *files, short)
    serials = sorted(told["serials"])
    assert len(serials) == 2
    counts = {**{str(path): str(count) for path, count in files.items()}, str(short): None}
    expected = [[serial, path, count] for serial in serials for path, count in counts.items()]
    assert sorted(told["results"], key=str) == sorted(expected, key=str)
    assert sorted(told["extended"]) == sorted(told["all"]) == serials
    assert sorted(told["ended"] + told["rest"]) == serials
    leases = farm.api.get("/boards/leases", name=f"script {version}")["items"]
    assert [(lease["user"], lease["state"], lease["kind"]) for lease in leases] == [("icefarm", "ended", "pulsecount")]
    kept = farm.api.get("/boards/results", lease=leases[0]["id"])["items"]
    assert len(kept) == 6
    wait_for("boards that fit for the next", all_free)


@pytest.mark.parametrize("version", VERSIONS)
def test_results_that_a_killed_commander_had_not_handed_out_arrive(
    farm: Farm, wire: Relay, version: str, tmp_path: Path
) -> None:
    wait_for("both boards", lambda: farm.api.get("/boards/available")["count"] == 2)
    files = {tmp_path / f"by-{by}.bin": str(pulses(by)) for by in DIVIDERS}
    for path, by in zip(files, DIVIDERS, strict=True):
        path.write_bytes(bitstream(divider(by)))
    name = f"killed {version}"
    client = OldClient(version, f"http://127.0.0.1:{wire.port}", name)
    try:
        serials = client.call("reserve", 2)
        client.begin("evaluate", [str(path) for path in files], result_timeout=120)
        (lease,) = wait_for("its lease", lambda: farm.api.get("/boards/leases", name=name)["items"])

        def taken() -> bool:
            rows = [
                row for row in farm.api.get("/commands", node="boards", limit=50)["items"] if "lease" in row["args"]
            ]
            mine = [row for row in rows if row["args"]["lease"] == lease["id"]]
            return sum(len(row["args"]["files"]) * len(row["args"]["serials"]) for row in mine) == 4

        wait_for("all at the sentry", taken)
        wire.cut()
        wait_for("all results", lambda: len(farm.api.get("/boards/results", lease=lease["id"])["items"]) == 4)
        assert len(client.events("results")) < 4
        pid = farm.pid("commander")
        os.kill(pid, signal.SIGKILL)
        wait_for("the next commander", lambda: farm.pid("commander") != pid and farm.api.ready() == [])
        wire.join()
        expected = [[serial, str(path), count] for serial in serials for path, count in files.items()]
        assert sorted(client.answer()) == sorted(expected)
    finally:
        client.kill()
        wait_for("its boards are given back", lambda: farm.api.post("/boards/leases/end-all", {"user": "icefarm"}))
