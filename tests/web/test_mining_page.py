"""The pages of miners and ASICs: nodes that say what sentries say, over real brokers."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from schema import fleet
from schema.asics import TYPES
from sentry.mining.asic_control import Controller
from sentry.mining.asic_look import Looker
from sentry.mining.figures import Algorithm, Card, Figures
from tests.web.farm import KEY, Machine, WebFarm, now_ms
from tests.web.mining import asic, cpu, gpu, host, says
from tests.web.test_pages import EVIL

pytestmark = [pytest.mark.browser, pytest.mark.broker]

RELEASE = {"url": "https://example.org/x.tar.gz", "sha256": "ab" * 32, "archive": "tar", "member": "miner"}
RECORDS: dict[str, dict[str, Any]] = {
    "templates/coin/raven": {"algorithm": "kawpow"},
    "templates/pool/nest": {"coin": "raven", "urls": [{"url": "pool.example:4444"}]},
    "templates/address/cold": {"coin": "raven", "address": "R9wallet"},
    "software/lolminer/releases/1.88/linux-x86_64": RELEASE,
    "software/xmrig/releases/6.22.2/linux-x86_64": RELEASE,
}


def playbook(software: str, release: str, kind: str) -> dict[str, Any]:
    mined = [{"pool": "nest", "address": "cold"}]
    return {"software": software, "release": release, "kind": kind, "mine": mined, "targets": {"nodes": ["digger"]}}


class MiningFarm:
    """A rig with a GPU miner and, by its playbooks, one more; a sentry with two ASICs, one of them silent."""

    def __init__(self, farm: WebFarm):
        self.farm = farm
        self.rig, self.hall = host(farm, "digger"), host(farm, "hall", "asic")
        now = now_ms()
        for age in range(30, 0, -1):
            says(self.rig, "miner-gpu", "online", gpu(40e6, accepted=60 - 2 * age), now - age * 60_000)
        says(self.rig, "miner-gpu", "online", gpu(40e6, accepted=60))
        says(self.hall, "asic-s19", "online", asic(95e12))
        says(self.hall, "asic-dead", "offline", None)
        for path, data in RECORDS.items():
            self.put(path, data)
        self.put("playbooks/gpu", playbook("lolminer", "1.88", "gpu"))
        self.put("playbooks/xmr", playbook("xmrig", "6.22.2", "cpu"))
        farm.until(lambda: farm.get("/api/v1/mining/overview")["count"] == {"miner": 1, "asic": 2, "rig": 0, "here": 2})

    def put(self, path: str, data: dict[str, Any]) -> None:
        answer = self.farm.api.put(f"/api/v1/mining/{path}", json={"data": data})
        assert answer.status_code == 200, answer.text

    def reported(self, status: str, miners: dict[str, Any], error: str = "", **more: Any) -> None:
        documents = self.farm.get("/api/v1/nodes/digger/desired")["items"]
        (rev,) = (row["rev"] for row in documents if row["doc"] == "playbooks")
        data = {"miners": miners, "running_rev": rev, **more}
        report = {"rev": rev, "status": status, "error": error, "data": data}
        self.rig.say(fleet.REPORTED, report, "playbooks", retain=True)


@pytest.fixture(scope="module")
def mining(farm: WebFarm) -> MiningFarm:
    return MiningFarm(farm)


def test_there_is_no_way_to_miners_before_there_is_one(page: Page) -> None:
    expect(page.get_by_role("link", name="Alerts")).to_be_visible()
    expect(page.get_by_role("link", name="Mining")).to_have_count(0)
    page.goto("/mining")
    expect(page.get_by_text("No miner or ASIC has reported yet.")).to_be_visible()
    expect(page.get_by_text("Nothing needs you.")).to_be_visible()
    expect(page.locator("#problem-count")).to_be_hidden()
    page.goto("/asics")
    expect(page.get_by_text("There is none yet")).to_be_visible()


def test_ways_lead_to_miners_and_asics(page: Page, mining: MiningFarm) -> None:
    page.goto("/nodes/digger")
    page.get_by_role("link", name="its miners").click()
    expect(page.locator("h1")).to_have_text("digger")
    page.get_by_role("link", name="Mining").click()
    page.get_by_role("link", name="ASICs", exact=True).click()
    row = page.locator("[data-machine='hall/asic-s19']")
    expect(row).to_contain_text("Antminer S19")
    expect(row).to_contain_text("34.2\u00a0J/TH")
    row.get_by_role("link").click()
    expect(page.locator("[data-tile='of expected']")).to_contain_text("100\u00a0%")
    expect(page.locator(".cards tbody tr")).to_have_count(3)
    expect(page.locator(".facts")).to_contain_text("stratum+tcp://pool.example:3333")
    page.get_by_role("link", name="Its sentry").click()
    page.get_by_role("link", name="its ASICs").click()
    expect(page.locator("#machines tbody tr")).to_have_count(2)


def test_the_farm_shows_problems_first_and_sums(page: Page, mining: MiningFarm) -> None:
    page.goto("/mining")
    problem = page.locator("#problems tbody tr").filter(has_text="asic-dead")
    expect(problem).to_contain_text("does not answer")
    expect(page.locator("#algorithms")).to_contain_text("95\u00a0TH/s")
    expect(page.locator("#algorithms")).to_contain_text("40\u00a0MH/s")
    expect(page.locator("[data-tile='machines hashing']")).to_contain_text("2 of 3")
    rows = page.locator("#machines tbody tr")
    expect(rows.first).to_have_attribute("data-machine", "hall/asic-dead")
    page.get_by_role("button", name="hash rate").click()
    expect(rows.first).to_have_attribute("data-machine", "digger/miner-gpu")
    page.get_by_role("button", name="hash rate").click()
    expect(rows.nth(1)).to_have_attribute("data-machine", "digger/miner-gpu")
    page.get_by_label("Filter machines").fill("kawpow digger")
    expect(rows).to_have_count(1)
    page.get_by_label("Filter machines").fill("")
    problem.get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("dead")
    expect(page.locator("#problem")).to_contain_text("It is not heard of")


def test_a_rig_and_its_past(page: Page, mining: MiningFarm) -> None:
    page.goto("/miners/digger")
    section = page.locator("[data-miner=gpu]")
    expect(section.locator("header")).to_contain_text("playbook gpu v1 · lolminer 1.88")
    expect(section.locator("[data-tile='hash rate of kawpow']")).to_contain_text("40MH/s")
    expect(section.locator("[data-tile='hash rate of zil']")).to_contain_text("2MH/s")
    card = section.locator(".cards tbody tr").nth(1)
    for text in ("RTX 3061", "56\u00a0°C", "81\u00a0°C", "121\u00a0W", "7000\u00a0MHz"):
        expect(card).to_contain_text(text)
    section.get_by_text("What it shall run").click()
    expect(section.locator(".wanted pre")).to_contain_text("--algo")
    expect(page.locator("[data-miner=xmr]")).to_contain_text("It has not reported any figures yet.")
    accepted = section.locator(".plot[data-field=accepted]")
    for span in ("6 h", "24 h", "30 d", "1 h"):
        section.get_by_role("button", name=span, exact=True).click()
        expect(accepted.locator("canvas")).to_have_attribute("aria-label", re.compile("[1-9][0-9]* points"))
    expect(accepted.locator("canvas")).to_have_attribute("aria-label", re.compile("(30|3.) points"))
    days = mining.farm.get("/api/v1/mining/days?node=digger")
    assert days["totals"]["accepted"] == 60
    assert days["totals"]["kwh"] == pytest.approx(241 * 31 / 60_000, rel=0.1)


def test_a_rollout_and_its_failure_are_followed_live(page: Page, mining: MiningFarm) -> None:
    page.goto("/miners/digger")
    section = page.locator("[data-miner=xmr]")
    expect(page.locator("#playbooks .badge")).to_have_text("waiting")
    mining.reported("pending", {"gpu": {"state": "running"}, "xmr": {"state": "installing", "pct": 43}})
    expect(section.locator(".step .badge")).to_have_text("installing 43 %")
    processor = Card("Ryzen", 1234, processor=True)
    says(mining.rig, "miner-xmr", "online", cpu(1234, 40_950, cards=(processor,)))
    expect(section.locator("[data-tile='hash rate']")).to_contain_text("1.23kH/s")
    expect(section.locator("[data-tile=accepted]")).to_contain_text("40\u202f950")
    expect(section.locator(".cards th")).to_have_text(["card", "hashrate"])
    expect(section.locator(".cards tbody td").first).to_have_text("processorRyzen")
    problem = {"state": "failed", "problem": "sha256: is 12, must be 34"}
    mining.reported("failed", {"gpu": {"state": "running"}, "xmr": problem}, "miner xmr: sha256: is 12, must be 34")
    expect(section.locator(".problem").first).to_have_text("sha256: is 12, must be 34")
    expect(page.locator("#alerts")).to_contain_text("playbooks: miner xmr: sha256")
    mining.reported("applied", {"gpu": {"state": "running"}, "xmr": {"state": "running"}})
    expect(page.locator("#alerts .alert")).to_have_count(0)
    expect(page.locator("#playbooks .badge")).to_have_text("applied")
    told = {"since": now_ms(), "severity": "error", "text": "gpu: 1 of 2 cards"}
    mining.rig.say(fleet.ALERT, told, "miner-gpu-gpus", retain=True)
    expect(page.locator("#alerts")).to_contain_text("gpu: 1 of 2 cards")
    mining.rig.client.publish(mining.rig.topic(fleet.ALERT, "miner-gpu-gpus"), b"", retain=True)
    expect(page.locator("#alerts .alert")).to_have_count(0)


def answered(machine: Machine, name: str, **answer: Any) -> dict[str, Any]:
    """Arguments of the command that came, after the node has answered it."""
    command = ordered(machine, name)
    acknowledge(machine, command, **answer)
    return command["args"]


def ordered(machine: Machine, name: str) -> dict[str, Any]:
    got = machine.client.expect(lambda topic, _: topic.endswith(f"/cmd/{name}"))
    return json.loads(json.loads(got)["body"])


def acknowledge(machine: Machine, command: dict[str, Any], **answer: Any) -> None:
    machine.say(fleet.ACK, {"id": command["id"], "status": "done", **answer}, command["id"])


def test_orders_to_a_miner(page: Page, farm: WebFarm, mining: MiningFarm) -> None:
    for name in ("miner", "miner-log"):
        mining.rig.client.subscribe(mining.rig.topic(fleet.CMD, name))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/miners/digger")
    section = page.locator("[data-miner=gpu]")
    section.get_by_role("button", name="restart").click()
    assert answered(mining.rig, "miner") == {"name": "gpu", "do": "restart"}
    expect(section.locator(".told")).to_have_text("restart: done")
    section.get_by_role("button", name="pause").click()
    refusal = {"status": "refused", "result": {"problem": "it cannot pause"}}
    assert answered(mining.rig, "miner", **refusal)["do"] == "pause"
    expect(section.locator(".told")).to_contain_text("it cannot pause")
    section.get_by_role("button", name="log").click()
    assert answered(mining.rig, "miner-log", result={"lines": ["GPU0 found a share", EVIL]})["name"] == "gpu"
    expect(section.locator(".miner-log")).to_contain_text("GPU0 found a share")
    expect(section.locator(".miner-log")).to_contain_text("broken in")
    knob, mark = page.get_by_role("switch", name="maintenance"), page.locator("#maintenance-on")
    expect(mark).to_be_hidden()
    for word, shown in (("on", True), ("off", False)):
        knob.click()
        assert answered(mining.rig, "miner") == {"do": f"maintenance-{word}"}
        mining.reported("applied", {"gpu": {"state": "running"}}, maintenance=shown)
        farm.until(lambda shown=shown: farm.get("/api/v1/mining/miners/digger")["maintenance"] is shown)
        page.goto("/mining")
        row = page.locator("[data-machine='digger/miner-gpu']")
        expect(row.get_by_text("maintenance")).to_have_count(int(shown))
        page.goto("/miners/digger")
        expect(mark).to_be_visible(visible=shown)
        expect(knob).to_be_checked(checked=shown)


def test_what_miners_say_stays_text(page: Page, farm: WebFarm, mining: MiningFarm) -> None:
    evil = Figures(EVIL, EVIL, 1, (Algorithm(EVIL, 1.0, pool=EVIL, user=EVIL),), extra={"model": EVIL, "address": EVIL})
    says(mining.hall, "asic-evil", "online", evil)
    mining.reported("failed", {"xmr": {"state": EVIL, "problem": EVIL}, EVIL: {"state": EVIL}}, EVIL)
    farm.until(lambda: farm.get("/api/v1/mining/asics")["total"] == 3)
    for path, place in (("/mining", "#problems"), ("/miners/digger", "#miners"), ("/asics/hall/asic-evil", ".facts")):
        page.goto(path)
        expect(page.locator(place)).to_contain_text("broken in")
        assert page.locator("main img, main script").count() == 0
        assert page.title().endswith("farmhand")
    mining.reported("applied", {"gpu": {"state": "running"}, "xmr": {"state": "running"}})


@pytest.fixture
def shed(farm: WebFarm, mining: MiningFarm) -> Machine:
    """One more sentry of ASICs, which watches none yet."""
    shed = host(farm, "shed", "asic")
    for name in ("asic-check", "asic-scan", "asic-control"):
        shed.client.subscribe(shed.topic(fleet.CMD, name))
    return shed


def test_asics_are_added_controlled_and_removed(
    page: Page, browser: Browser, farm: WebFarm, shed: Machine, complaints: list[str]
) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/nodes/shed")
    page.get_by_role("link", name="its ASICs").click()
    page.get_by_text("Add one by its address").click()
    form = page.locator("#add-form")
    for name, value in (("name", "s9"), ("host", "10.0.0.9"), ("port", "4029")):
        form.locator(f"[name={name}]").fill(value)
    form.locator("[name=node]").select_option("shed")
    form.get_by_role("button").click()
    refusal = {"status": "failed", "result": {"field": "host", "problem": "10.0.0.9: nothing answers"}}
    asked = answered(shed, "asic-check", **refusal)
    assert asked == {"type": "auto", "host": "10.0.0.9", "port": 4029}
    expect(form.locator("[data-problem=host]")).to_have_text("10.0.0.9: nothing answers")
    form.get_by_role("button").click()
    answered(shed, "asic-check", result={"type": "cgminer", "model": EVIL})
    expect(page.locator("#add-told")).to_contain_text("broken in")
    form.locator("[name=name]").fill("s9")
    form.locator("[name=host]").fill("10.0.0.10")
    form.get_by_role("button").click()
    expect(form.locator("[data-problem=name]")).to_have_text("shed has an ASIC s9")
    complaints.clear()  # both refusals

    page.get_by_text("Find them in a network").click()
    scan, found = page.locator("#scan-form"), page.locator(".found tbody tr")
    scan.locator("[name=node]").select_option("shed")
    scan.locator("[name=range]").fill("10.0.0.0/28")
    scan.get_by_role("button").click()
    problem = {"status": "refused", "result": {"field": "range", "problem": "is not private"}}
    assert answered(shed, "asic-scan", **problem) == {"range": "10.0.0.0/28", "force": False}
    expect(scan.locator("[data-problem=range]")).to_have_text("is not private")
    scan.get_by_role("button").click()
    command = ordered(shed, "asic-scan")
    acknowledge(shed, command, status="progress", pct=43, result={"found": 1})
    expect(page.locator("#scan-told")).to_contain_text("43 %, 1 found")
    page.reload()  # the scan goes on meanwhile
    expect(page.locator("#scan-told")).to_contain_text("43 %, 1 found")
    known = {"type": "cgminer", "host": "10.0.0.9", "port": 4029}
    fresh = {"type": "pyasic", "host": "10.0.0.12", "model": EVIL, "hashrate": 1.2e14}
    acknowledge(shed, command, result={"asked": 14, "found": [known, fresh], "more": 0})
    expect(found.first.get_by_role("link", name="s9")).to_be_visible()
    expect(found.nth(1)).to_contain_text("120\u00a0TH/s")
    page.get_by_label("name of 10.0.0.12").fill("m50")
    page.get_by_role("button", name="Add the chosen ones").click()
    expect(found.nth(1).get_by_role("link", name="m50")).to_be_visible()
    assert page.locator("main img, main script").count() == 0

    says(shed, "asic-m50", "online", asic(1.2e14))
    page.locator("[data-machine='shed/asic-m50']").get_by_role("link").click()
    expect(page.locator("#control-note")).to_contain_text("only watched")
    expect(page.get_by_role("button", name="restart")).to_have_count(0)
    page.get_by_role("switch").click()
    page.get_by_role("button", name="restart").click()
    assert answered(shed, "asic-control") == {"name": "m50", "do": "restart"}
    expect(page.locator("#told")).to_have_text("restart: done")
    page.get_by_label("power limit").fill("2500")
    page.get_by_role("button", name="set power limit").click()
    unable = {"status": "failed", "code": "unable", "result": {"problem": "it cannot"}}
    assert answered(shed, "asic-control", **unable) == {"name": "m50", "do": "power_limit", "value": 2500}
    expect(page.locator("#told")).to_contain_text("it cannot")
    able: dict[str, list[str]] = page.evaluate("import('/static/asic_orders.js').then(m => m.ABLE)")
    control = Controller(Looker(1))
    assert {kind: sorted(deeds) for kind, deeds in able.items()} == {kind: control.able(kind) for kind in TYPES}

    key = farm.api.post("/api/v1/keys", json={"name": "hand", "role": "operator"}).json()["key"]
    context = browser.new_context(base_url=farm.url)
    try:
        other = context.new_page()
        other.on("dialog", lambda dialog: dialog.accept())
        other.goto(f"/?key={key}")
        other.goto("/asics/shed/asic-m50")
        expect(other.get_by_role("button", name="sleep")).to_be_visible()
        expect(other.get_by_role("switch")).to_have_count(0)
        other.get_by_role("button", name="Remove this ASIC").click()
        expect(other.locator("h1")).to_have_text("ASICs")
        expect(other.locator("[name=control], [name=force]")).to_have_count(0)
    finally:
        context.close()
    assert [each["name"] for each in farm.get("/api/v1/nodes/shed/asics")["items"]] == ["s9"]
    farm.until(lambda: all(row["node"] != "shed" for row in farm.get("/api/v1/mining/asics")["items"]))


def test_a_reader_has_no_buttons(browser: Browser, farm: WebFarm, mining: MiningFarm) -> None:
    key = farm.api.post("/api/v1/keys", json={"name": "looker", "role": "reader"}).json()["key"]
    context = browser.new_context(base_url=farm.url)
    try:
        page = context.new_page()
        page.goto(f"/?key={key}")
        page.goto("/miners/digger")
        expect(page.locator("[data-miner=gpu] [data-tile=power]")).to_be_visible()
        expect(page.get_by_role("button", name="restart")).to_have_count(0)
        expect(page.get_by_role("switch")).to_have_count(0)
        page.goto("/asics")
        expect(page.locator("#machines tr").last).to_be_visible()
        expect(page.locator("form.form")).to_have_count(0)
    finally:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_phone(browser: Browser, farm: WebFarm, mining: MiningFarm, scheme: Any) -> None:
    context = browser.new_context(base_url=farm.url, viewport={"width": 360, "height": 700}, color_scheme=scheme)
    try:
        page = context.new_page()
        page.goto(f"/?key={KEY}")
        for path, shown in (
            ("mining", "#machines tr"),
            ("miners/digger", ".cards"),
            ("asics", "#machines tr"),
            ("asics/hall/asic-s19", ".cards"),
        ):
            page.goto(f"/{path}")
            expect(page.locator(shown).last).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    finally:
        context.close()


def test_pages_of_what_does_not_exist(farm: WebFarm, mining: MiningFarm) -> None:
    for path, what in (("/miners/steward-house", "no miner on a node"), ("/asics/hall/asic-x", "no ASIC asic-x")):
        answer = farm.api.get(path, headers={"Cookie": f"farmhand_key={KEY}"})
        assert (answer.status_code, what in answer.text) == (404, True)
    assert farm.api.get("/api/v1/mining/miners/steward-house").json()["error"]["field"] == "node"
    assert farm.api.get("/api/v1/mining/asics/hall/miner-x").json()["error"]["field"] == "device"
