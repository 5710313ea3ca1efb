"""The pages of rigs: a node that says what a rig says, over a real broker."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from schema import fleet
from tests.web.farm import KEY, WebFarm, now_ms

pytestmark = [pytest.mark.browser, pytest.mark.broker]

COUNTS = (
    "requests",
    "request_wait_ms",
    "shares",
    "send_wait_ms",
    "elapsed_ms",
    "hashes",
    "accepted",
    "refused",
    "lost",
)
FIELDS = ("server", "state", "in_hand", "busy_pct", "faults", "stale", "difficulty", *COUNTS)
POOL = (
    "pool",
    "server",
    "tier",
    "difficulty",
    "hashrate",
    "accepted",
    "refused",
    "lost",
    "job_ms",
    "verdict_ms",
    "paced_ms",
)


class Rig:
    """A node with slaves, and the gateway that has jobs for them."""

    def __init__(self, farm: WebFarm, name: str):
        self.node, self.gateway = farm.enrol("barn", name), farm.enrol("house", f"{name}-gateway", "cpu-gpu")
        self.node.born({"slave": {**dict.fromkeys(FIELDS, ""), "hashrate": "H/s"}})
        self.gateway.born({"pool": dict.fromkeys(POOL, "")}, kind="cpu-gpu")
        for address in (11, 12):
            self.node.say(fleet.INFO, self.info(address), device=f"avr-{address}", retain=True)
            self.says(address, "ready")

    def info(self, address: int) -> dict[str, Any]:
        birth = {"schema": 1, "boot": "b1", "kind": "esp", "alive_ms": 30_000, "parts": {}}
        return {**birth, "software": "AVR v1 16 MHz DUCOIDX", "hardware": f"ATmega328P, DUCOID{address:016X}"}

    def says(self, address: int, word: str) -> None:
        self.node.client.publish(self.node.topic(fleet.STATE, device=f"avr-{address}"), word, retain=True)

    def mined(self, address: int, accepted: int, ts: int | None = None, **other: Any) -> None:
        counts = dict.fromkeys(FIELDS, 0) | {"accepted": accepted, "shares": accepted, "requests": accepted + 1}
        waits = {"request_wait_ms": 50 * (accepted + 1), "send_wait_ms": 80 * accepted, "hashes": 25_000 * accepted}
        now = {"server": "K", "state": "B", "hashrate": 3900, "busy_pct": 99, "in_hand": 2, "difficulty": 500}
        self.node.measured("slave", f"avr-{address}", ts, **(counts | waits | now | other))


@pytest.fixture(scope="module")
def rig(farm: WebFarm) -> Rig:
    rig = Rig(farm, "digger")
    now = now_ms()
    for age in range(30, 0, -1):
        for address in (11, 12):
            rig.mined(address, 60 - 2 * age, now - age * 60_000)
    pool = {"pool": "127.0.0.1:2811", "server": "JE", "tier": "DUE", "difficulty": 500, "accepted": 58, "job_ms": 12.5}
    rig.gateway.measured("pool", "digger_avr-11", **pool)
    farm.until(lambda: farm.get("/api/v1/mining/rigs")["items"])
    farm.until(lambda: any(each["pool"] for each in farm.get("/api/v1/mining/rigs/digger")["slaves"]))
    return rig


def test_there_is_no_way_to_rigs_before_there_is_one(page: Page) -> None:
    expect(page.get_by_role("link", name="Alerts")).to_be_visible()
    expect(page.get_by_role("link", name="Rigs")).to_have_count(0)
    page.goto("/rigs")
    expect(page.get_by_text("No node has reported a slave yet.")).to_be_visible()


def test_ways_lead_to_the_rig(page: Page, rig: Rig) -> None:
    page.goto("/nodes/digger-gateway")
    expect(page.get_by_role("link", name="its rig")).to_have_count(0)
    page.get_by_role("link", name="Rigs").click()
    row = page.locator("#rigs tbody tr")
    expect(row).to_contain_text("2 of 2")
    expect(row).to_contain_text("7.80\u00a0kH/s")
    expect(row).to_contain_text("jobs by digger-gateway")
    row.get_by_role("link", name="digger").click()
    expect(page.locator("h1")).to_have_text("Rig digger")
    page.get_by_role("link", name="The node").click()
    page.get_by_role("link", name="its rig").click()
    page.get_by_role("link", name="Wiring").click()
    expect(page.get_by_text("GPIO2 (pin 3)")).to_be_visible()
    drawing = page.get_by_role("img", name=re.compile("level shifter"))
    assert drawing.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500


def test_slaves_and_the_past_of_their_rig(page: Page, rig: Rig) -> None:
    page.goto("/rigs/digger")
    slave = page.locator("[data-slave=avr-11]")
    expect(slave).to_contain_text("000000000000000B · AVR v1 16 MHz")
    expect(slave.locator(".letter").first).to_have_attribute("title", "job handed over")
    expect(slave).to_contain_text("50\u00a0ms")
    expect(page.locator("[data-tile='accepted, 24 h']")).to_have_text("116accepted, 24 h")
    pool = page.locator("#pool tbody tr")
    expect(pool).to_contain_text("127.0.0.1:2811")
    expect(pool.locator(".letter").nth(1)).to_have_attribute("title", "share sent")
    hashrate, accepted = (page.locator(f".plot[data-field={name}]") for name in ("hashrate", "accepted"))
    for span in ("6 h", "24 h", "7 d", "30 d", "1 h"):
        page.get_by_role("button", name=span, exact=True).click()
        expect(accepted.locator("canvas")).to_have_attribute("aria-label", re.compile("[1-9][0-9]* points"))
    expect(accepted.locator("canvas")).to_have_attribute("aria-label", re.compile("(29|3.) points"))
    hashrate.locator("canvas").hover(position={"x": 250, "y": 60})  # not in the half hour before the rig was there
    expect(hashrate.locator(".now")).to_have_text("1.67\u00a0kH/s")  # 2 shares of 25,000 hashes each, 2 slaves


def test_a_rig_is_followed_live(page: Page, rig: Rig) -> None:
    page.goto("/rigs/digger")
    rows = page.locator("#slaves tbody tr")
    expect(rows.nth(0)).to_have_attribute("data-slave", "avr-11")
    rig.mined(12, 60, server="F", refused=7)
    expect(page.locator("[data-slave=avr-12] .letter.is-bad")).to_have_text("F")
    expect(page.locator("[data-tile=refused].is-bad")).to_contain_text("7")
    rig.says(12, "lost")
    expect(rows.nth(0)).to_have_attribute("data-slave", "avr-12")
    expect(rows.nth(0).locator(".badge")).to_have_text("lost")
    expect(page.locator("[data-tile='slaves here']")).to_contain_text("1 of 2")
    expect(page.locator("#events tbody tr").first).to_contain_text("from ready")
    told = {"since": now_ms(), "severity": "error", "text": "avr-12: EIO <b>"}
    rig.node.say(fleet.ALERT, told, "avr-12", retain=True)
    expect(page.locator("#alerts .alert")).to_contain_text("avr-12: EIO <b>")
    expect(rows.nth(0).locator(".bad[title]")).to_have_text("error")
    rig.node.client.publish(rig.node.topic(fleet.ALERT, "avr-12"), b"", retain=True)
    rig.says(12, "ready")
    expect(page.locator("#alerts .alert")).to_have_count(0)
    expect(rows.nth(0)).to_have_attribute("data-slave", "avr-11")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_phone(browser: Browser, farm: WebFarm, rig: Rig, scheme: Any) -> None:
    context = browser.new_context(base_url=farm.url, viewport={"width": 360, "height": 700}, color_scheme=scheme)
    try:
        page = context.new_page()
        page.goto(f"/?key={KEY}")
        for path, shown in (("rigs", "#rigs tr"), ("rigs/digger", "[data-slave=avr-11]"), ("rigs/wiring", ".wiring")):
            page.goto(f"/{path}")
            expect(page.locator(shown).last).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        context.close()


def test_a_node_without_slaves_has_no_rig_page(farm: WebFarm) -> None:
    browser = farm.api.get("/rigs/steward-house", headers={"Cookie": f"farmhand_key={KEY}"})
    assert browser.status_code == 404
    assert "There is no rig on a node steward-house." in browser.text
