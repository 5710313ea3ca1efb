"""The pages of miners and ASICs: nodes that say what sentries say, over real brokers."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from schema import fleet
from sentry.mining.figures import Algorithm, Card, Figures
from tests.web.farm import KEY, WebFarm, now_ms
from tests.web.mining import MiningFarm, answered, cpu, says
from tests.web.test_pages import EVIL

pytestmark = [pytest.mark.browser, pytest.mark.broker]


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
