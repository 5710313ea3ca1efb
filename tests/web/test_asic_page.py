"""ASICs on their pages: added, found, controlled, removed."""

import pytest
from playwright.sync_api import Browser, Page, expect

from schema import fleet
from schema.asics import TYPES
from sentry.mining.asic_control import Controller
from sentry.mining.asic_look import Looker
from tests.web.farm import Machine, WebFarm
from tests.web.mining import MiningFarm, acknowledge, answered, asic, host, ordered, says
from tests.web.test_pages import EVIL

pytestmark = [pytest.mark.browser, pytest.mark.broker]


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
