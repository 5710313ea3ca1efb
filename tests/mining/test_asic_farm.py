"""From the command line through HTTP, commander, broker and sentry to ASICs, and back; all of them real processes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sentry.mining.asic_settings import AsicSettings
from tests.commander.serving import Serving
from tests.conftest import ROOT
from tests.mining.asics import AsicSentry, Simulated
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def sentry(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsicSentry]:
    """A sentry of kind `asic`, let in by a token."""
    made = AsicSentry(tmp_path_factory.mktemp("sentry"))
    wish = {"domain": "house", "kind": "asic", "name": "shed"}
    token = serving.admin.post("/api/v1/tokens", json=wish).json()["token"]
    port = serving.service.farmfile.domains["house"].port
    given = made.ask("enrol", f"mqtt://127.0.0.1:{port}", token, "--kind", "asic", "--name", "shed")
    assert given.returncode == 0, given.stderr
    made.start()
    serving.until(lambda: serving.admin.get("/api/v1/nodes/shed").json().get("presence") == "ready")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def asics() -> Iterator[Simulated]:
    made = Simulated(3, "--type", "mixed")
    yield made
    made.stop()


class Cli:
    """`farmhand asic` in a process of its own; ``code``: its exit code, an error's line is answered then."""

    def __init__(self, serving: Serving, key: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("asic_shell.py"))],
            env={**os.environ, "PYTHONPATH": str(ROOT), "FARMHAND_URL": serving.url, "FARMHAND_KEY": key},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self, *words: str, code: int = 0, given: str = "") -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"words": words, "given": given}) + "\n")
        self._process.stdin.flush()
        done = json.loads(self._process.stdout.readline())
        assert done["code"] == code, done
        return done["error"] if code else done["out"]

    def close(self) -> None:
        self._process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def farmhand(serving: Serving) -> Iterator[Cli]:
    made = Cli(serving, serving.admin.headers["Authorization"].split()[1])
    yield made
    made.close()


def place(asics: Simulated, number: int) -> str:
    return f"{asics.places[number]['host']}:{asics.places[number]['port']}"


def online(serving: Serving, name: str) -> dict[str, Any]:
    """The ASIC, once its figures are there."""

    def found() -> Any:
        items = serving.reader.get("/api/v1/nodes/shed/asics").json()["items"]
        return next((e for e in items if e["name"] == name and e["figures"].get("state") == "online"), None)

    return wait_until(f"{name} online", found, 60)


def test_an_asic_is_added_after_a_look(serving: Serving, sentry: AsicSentry, asics: Simulated, farmhand: Cli) -> None:
    assert "1.2 TH/s" in farmhand("check", "shed", "auto", place(asics, 2))
    said = farmhand("add", "shed", "axe", "auto", place(asics, 2))
    assert said.startswith("axe added: bitaxe   ")
    assert online(serving, "axe")["figures"]["hashrate"] == pytest.approx(1.2e12)
    assert "Bitaxe 601 BM1370" in farmhand("show", "shed", "axe")

    refused = farmhand("add", "shed", "wrong", "bitaxe", place(asics, 0), code=1)
    assert place(asics, 0) in refused
    assert "shed has an ASIC axe" in farmhand("add", "shed", "axe", "bitaxe", place(asics, 2), code=1)
    assert "kind asic" in farmhand("add", "steward-house", "x", "bitaxe", "127.0.0.1", code=1)
    names = [each["name"] for each in json.loads(farmhand("list", "shed", "--json"))["items"]]
    assert names == ["axe"]
    farmhand("add", "shed", "later", "cgminer", "127.0.0.1:1", "--unchecked")
    farmhand("remove", "shed", "later")


def test_all_of_a_scan_are_added(serving: Serving, sentry: AsicSentry, asics: Simulated, farmhand: Cli) -> None:
    ports = [word for p in asics.places[:2] for word in ("--port", str(p["port"]))]
    found = farmhand("scan", "shed", "127.1.0.0/30", *ports, "--json")
    assert {each["type"] for each in json.loads(found)["found"]} == {p["type"] for p in asics.places[:2]}
    one = {"found": json.loads(found)["found"][:1]}
    assert "added" in farmhand("add", "shed", "hall", "--from", "-", given=json.dumps(one))
    assert online(serving, "hall-127-1-0-1")
    assert "private" in farmhand("scan", "shed", "8.8.8.8-8.8.8.9", code=1)


def test_only_an_admin_allows_control(serving: Serving, sentry: AsicSentry, asics: Simulated, farmhand: Cli) -> None:
    operator: httpx.Client = serving.operator
    base = "/api/v1/nodes/shed/asics"
    farmhand("add", "shed", "rig", "cgminer", place(asics, 0))
    online(serving, "rig")
    refused = operator.post(f"{base}/rig/control", json={"do": "sleep"})
    assert (refused.status_code, refused.json()["error"]["field"]) == (403, "control")
    straight = {"name": "asic-control", "args": {"name": "rig", "do": "sleep"}}
    row = operator.post("/api/v1/nodes/shed/commands", json=straight).json()
    ended = wait_until("the sentry's refusal", lambda: _ended(serving, row["id"]))
    assert (ended["status"], ended["code"]) == ("refused", "control-off")
    assert operator.put(f"{base}/rig", json={"control": True}).status_code == 403
    document = {"asics": [{"name": "rig", "type": "cgminer", "host": "127.0.0.1", "control": True}]}
    assert operator.put("/api/v1/nodes/shed/desired/asics", json={"data": document}).status_code == 403
    assert operator.put("/api/v1/nodes/shed/desired/asics", json={"data": {"asics": [{}]}}).status_code == 422

    farmhand("set", "shed", "rig", "--control", "--poll-s", "1")
    assert operator.put(f"{base}/rig", json={"host": "127.0.0.2"}).status_code == 403  # not the one that was meant
    assert operator.put(f"{base}/rig", json={"expected": 1.4e14}).status_code == 200
    serving.until(lambda: _revision(serving, "desired") == _revision(serving, "reported"))
    assert farmhand("control", "shed", "rig", "sleep") == "rig: sleep done\n"
    assert "unable" not in farmhand("control", "shed", "rig", "wake")
    assert "which can: restart, sleep, wake" in farmhand("control", "shed", "rig", "reboot", code=1)
    audit = serving.admin.get("/api/v1/audit", params={"limit": 1000}).json()["items"]
    whats = [each["what"] for each in audit]
    assert {"ASICs added", "ASIC changed", "command asic-control", "command asic-check"} <= set(whats)


def _ended(serving: Serving, command: str) -> Any:
    row = serving.admin.get(f"/api/v1/commands/{command}").json()
    return row if row["status"] in ("done", "failed", "refused", "timeout") else None


def _revision(serving: Serving, which: str) -> tuple[int, str]:
    rows = serving.get(f"/nodes/shed/{which}")["items"]
    row = next(each for each in rows if each["doc"] == "asics")
    return row["rev"], row.get("status", "applied")


def test_every_setting_is_in_the_docs() -> None:
    text = (Path(ROOT) / "docs" / "asics.md").read_text()
    for name, field in AsicSettings.model_fields.items():
        assert f"| `{name}` | {field.default} |" in text
