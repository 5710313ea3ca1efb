"""A playbook's way: saved over HTTP, signed, through a real broker to the node, and what the node says of it back."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from commander.keys import Keys
from schema import fleet
from schema.message import check
from schema.playbooks import PLAYBOOKS
from schema.topics import build
from schema.trust import signed_text
from tests.commander.api import Machine
from tests.commander.serving import Serving
from tests.conftest import ROOT

pytestmark = pytest.mark.broker

MINING = "/api/v1/mining"
ADDRESS = "4" + "B" * 94
PLAYBOOK = {
    "software": "xmrig",
    "release": "6.22.2",
    "kind": "cpu",
    "mine": [{"pool": "nano", "address": "cold"}],
    "targets": {"groups": ["attic", "try"]},
}


class Rig(Machine):
    """A machine that hears its document `playbooks`."""

    def __init__(self, serving: Serving, name: str):
        super().__init__(serving, name)
        self.keys = serving.service.secrets["ed25519"]
        self.client.subscribe(self.topic(fleet.DESIRED, "playbooks"))

    def document(self, rev: int) -> list[dict[str, Any]]:
        """The miners of that revision, once it has come with the farm's signature."""
        topic = self.topic(fleet.DESIRED, "playbooks")

        def is_it(at: str, payload: bytes) -> bool:
            return at == topic and json.loads(json.loads(payload)["body"])["rev"] == rev

        envelope = json.loads(self.client.expect(is_it))
        keys = Keys(self.keys["private"], self.keys["public"])
        assert keys.verify(signed_text(topic, envelope["body"]), b64decode(envelope["sig"]))
        data = json.loads(envelope["body"])["data"]
        check(PLAYBOOKS, data)
        return data["miners"]

    def report(self, rev: int, status: str, **more: Any) -> None:
        self.say(fleet.REPORTED, {"rev": rev, "status": status, **more}, "playbooks")


def put(client: httpx.Client, path: str, data: Any, **more: Any) -> Any:
    answer = client.put(MINING + path, json={"data": data, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def farmhand(serving: Serving, key: str, *commands: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """(exit code, stdout, stderr) of each command."""
    lines = [[*words, "--url", serving.url, "--key", key] for words in commands]
    script = [sys.executable, "-m", "tests.commander.several_commands"]
    wide = {**os.environ, "COLUMNS": "160"}
    done = subprocess.run(
        script, input=json.dumps(lines), env=wide, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True
    )
    return [tuple(each) for each in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def rigs(serving: Serving) -> list[Rig]:
    """Two rigs, of which m-1 tries things first; the templates, and a release."""
    found = [Rig(serving, "m-1"), Rig(serving, "m-2")]
    put(serving.admin, "/templates/coin/monero", {"algorithm": "rx/0"})
    put(serving.admin, "/templates/pool/nano", {"coin": "monero", "urls": ["a.example:1"], "password": "hush-hush"})
    put(serving.admin, "/templates/address/cold", {"coin": "monero", "address": ADDRESS})
    release = {"url": "https://example.org/x", "sha256": "cd" * 32}
    put(serving.admin, "/software/xmrig/releases/6.22.2/linux-x86_64", release)
    for name, group in (("m-1", "try"), ("m-2", "attic")):
        answer = serving.operator.put(f"{MINING}/labels/{name}", json={"group": group})
        assert answer.status_code == 200, answer.text
    return found


def test_there_and_back_and_on_trial(serving: Serving, rigs: list[Rig]) -> None:
    first, second = rigs
    saved = put(serving.operator, "/playbooks/cpu", PLAYBOOK)
    rollout = f"/mining/rollouts/{saved['rollout']['id']}"
    for rig in rigs:
        [miner] = rig.document(1)
        at = miner["args"].index("--user")
        assert miner["args"][at + 1 : at + 4] == [f"{ADDRESS}.{rig.name}", "--pass", "hush-hush"]
    first.report(1, "pending", data={"miners": {"cpu": {"state": "installing", "pct": 40}}})
    serving.until(lambda: serving.get(rollout)["nodes"][0]["step"])
    first.report(1, "applied")
    second.report(1, "applied")
    serving.until(lambda: serving.get(rollout)["state"] == "done")

    # An admin's new pool on trial: m-1 gets it, m-2 waits, also through a restart's loading of all tables.
    data = {"coin": "monero", "urls": [{"url": "b.example:2", "tls": True}], "password": "new-secret"}
    saved = put(serving.admin, "/templates/pool/nano", data, canary="try")
    rollout = f"/mining/rollouts/{saved['rollout']['id']}"
    assert saved["rollout"]["counts"] == {"pending": 1, "held": 1}
    assert "stratum+ssl://b.example:2" in first.document(2)[0]["args"]
    first.report(2, "applied")
    serving.until(lambda: serving.get(rollout)["state"] == "waiting")
    farm = serving.service.flow.farm
    stored = serving.service.database.load()
    for table in ("template", "software_release", "playbook", "playbook_version", "label", "rollout", "rollout_node"):
        assert stored[table] == farm[table], table
        assert orjson.dumps(list(stored[table].values())), "a rollout keeps older rows as JSON"
    refused = serving.operator.post(f"/api/v1{rollout}/continue", json={})
    assert (refused.status_code, refused.json()["error"]["field"]) == (403, "role")
    assert serving.admin.post(f"/api/v1{rollout}/continue", json={}).status_code == 200
    assert "stratum+ssl://b.example:2" in second.document(2)[0]["args"]
    second.report(2, "failed", error="miner cpu: no hash rate within 180 s")
    serving.until(lambda: serving.get(rollout)["state"] == "failed")
    assert "no hash rate" in serving.get(rollout)["nodes"][0]["error"]

    serving.operator.delete(f"{MINING}/playbooks/cpu")
    assert first.document(3) == second.document(3) == []


def test_secrets_are_not_for_readers(serving: Serving, rigs: list[Rig]) -> None:
    put(serving.operator, "/playbooks/cpu", PLAYBOOK)
    token = serving.get("/mining/playbooks/cpu")["data"]["api"]["token"]
    password = serving.get("/mining/templates/pool/nano")["data"]["password"]
    for path in ("/mining/templates", "/mining/playbooks", "/mining/playbooks/cpu", "/mining/playbooks/cpu/versions",
                 "/mining/playbooks/cpu/diff?before=1&after=3", "/mining/rollouts", "/desired", "/nodes/m-1",
                 "/nodes/m-1/desired", "/mining/templates/pool/nano"):  # fmt: skip
        text = serving.reader.get(f"/api/v1{path}").text
        assert token not in text, path
        assert password not in text, path
    assert token in serving.operator.get("/api/v1/nodes/m-1/desired").text
    by_hand = serving.operator.put("/api/v1/nodes/m-1/desired/playbooks", json={"data": {"miners": []}})
    assert by_hand.status_code == 403


@pytest.mark.parametrize("serving", ["sqlite"], indirect=True)  # it sees nothing of the database
def test_the_command_line(serving: Serving, rigs: list[Rig], tmp_path: Path) -> None:
    key = serving.key("operator")
    text = (
        'software = "xmrig"\nrelease = "6.22.2"\nkind = "gpu"\nmine = [{ pool = "nano", address = "cold" }]\n'
        'arguments = ["-o", "$GPU_POOL_1", "a b", "{{ node.group }}"]\n[targets]\nnodes = ["m-1", "m-2"]\n'
    )
    file, wrong = tmp_path / "gpu.toml", tmp_path / "wrong.toml"
    file.write_text(text)
    wrong.write_text(text.replace("node.group", "node.tags[0]"))
    save = ("playbook", "save", "gpu")
    shown, refused, fine, saved = farmhand(
        serving,
        key,
        (*save, str(wrong), "--preview"),
        (*save, str(wrong)),
        (*save, str(file), "--preview"),
        (*save, str(file), "--canary", "try", "--json"),
    )
    assert (shown[0], "node.tags[0] is missing here" in shown[1]) == (1, True), shown
    assert (refused[0], refused[1], refused[2].count("\n")) == (1, "", 1)
    assert refused[2].startswith("farmhand: arguments[3]: ")
    assert (fine[0], "xmrig -o stratum+ssl://b.example:2 'a b' attic" in fine[1]) == (0, True), fine
    rollout = json.loads(saved[1])["rollout"]["id"]
    operator = {
        ("rollout", "list"): rollout,
        ("rollout", "show", rollout): "held",
        ("rollout", "cancel", rollout): "is running",
        ("playbook", "versions", "gpu"): "made",
        ("playbook", "list"): "cpu",
        ("playbook", "show", "cpu"): "6.22.2",
        ("template", "list"): "playbook cpu",
        ("template", "show", "coin", "monero"): "rx/0",
        ("software", "list"): "lolMiner",
        ("software", "show", "xmrig"): "6.22.2",
        ("label", "list", "--group", "try"): "m-1",
        ("label", "set", "m-1", "--group", "try", "--tag", "x"): "labelled",
        ("playbook", "restore", "gpu", "1"): "is version 2",
        ("playbook", "save", "gpu", str(file), "--note", "again"): "is version 2",
        ("playbook", "diff", "gpu", "1", "2"): "nothing differs",
        ("playbook", "remove", "gpu"): "removed",
    }
    admin = {
        ("template", "coin", "ergo", "--algorithm", "AUTOLYKOS2"): "coin ergo saved: no node's document changes",
        ("template", "pool", "p", "--coin", "ergo", "--pool-url", "a:1", "--pool-url", "b:2"): "saved",
        ("template", "address", "a", "--coin", "ergo", "--address", "9abc"): "saved",
        ("template", "remove", "pool", "p"): "removed",
        ("software", "add", "own", "--mines", "cpu", "--argument", "x"): "saved",
        ("software", "release", "own", "1", "linux-x86_64", "--path", "/x", "--sha256", "00" * 32): "saved",
        ("software", "remove", "own", "--release", "1"): "removed",
        ("software", "remove", "own"): "removed",
        ("audit",): "test admin",
        ("audit", "--json"): '"items"',
    }
    for who, commands in ((key, operator), (serving.key("admin"), admin)):
        answers = farmhand(serving, who, *commands)
        for words, (code, output, problem) in zip(commands, answers, strict=True):
            assert (code, problem) == (0, ""), words
            assert commands[words] in output, output
    entries = json.loads(answers[-1][1])["items"]
    entry = next(row for row in entries if row["what"] == "pool saved" and row["data"]["canary"])
    urls = [entry["data"][side]["urls"][0]["url"] for side in ("before", "after")]
    assert (urls, entry["subject"]) == (["stratum+tcp://a.example:1", "stratum+ssl://b.example:2"], "nano")


def test_a_node_that_is_enrolled_later_has_its_document_at_once(serving: Serving, rigs: list[Rig]) -> None:
    wish = {"domain": "house", "kind": "cpu-gpu", "name": "m-9"}
    assert serving.admin.post("/api/v1/tokens", json=wish).status_code == 201
    put_label = serving.operator.put(f"{MINING}/labels/m-9", json={"group": "attic"})
    assert put_label.json()["rollout"] is None
    rig = Rig(serving, "m-9")
    assert rig.document(1)[0]["playbook"] == "cpu"
    assert build(fleet.DESIRED, "farm", "house", "m-9", name="playbooks") == rig.topic(fleet.DESIRED, "playbooks")
