"""The pages in a real browser, with real brokers and a real commander behind them."""

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from schema import fleet
from tests.web.farm import KEY, Machine, WebFarm, now_ms

pytestmark = [pytest.mark.browser, pytest.mark.broker]

PARTS = {
    "climate": {"temperature": "°C", "humidity": "%"},
    "load": {"mem_free": "B"},
    "words": {"word": ""},
}
EVIL = "<img src=x onerror=\"document.title='broken in'\"><script>document.title='broken in'</script>"
INK = """canvas => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext('2d', { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const pixels = context.getImageData(0, 0, copy.width, copy.height).data;
  return pixels.filter((value, i) => i % 4 === 3 && value > 0).length;
}"""


@pytest.fixture(scope="module")
def shed(farm: WebFarm) -> Machine:
    """A node with some past."""
    machine = farm.enrol("barn", "shed")
    machine.born(PARTS, hardware=EVIL)
    for age in range(120, 0, -1):
        machine.measured("climate", ts=now_ms() - age * 60_000, temperature=20 + age % 7, humidity=50.5)
    machine.measured("load", mem_free=31_400)
    return machine


def test_figures_of_a_node_change_before_our_eyes(page: Page, shed: Machine) -> None:
    row = page.locator("[data-node=shed]")
    expect(row.locator(".word")).to_have_text("ready")
    for value, shown in ((21.5, "21.5"), (22.5, "22.5"), (-3.25, "\u22123.25")):
        shed.measured("climate", temperature=value, humidity=50.5)
        expect(row.locator(".figure").first).to_contain_text(shown)
    expect(row.locator(".figure").first).to_contain_text("°C")
    expect(row.locator(".spark-line")).to_have_attribute("d", re.compile("^M.*L"))


def test_domains_show_their_links_and_nodes(page: Page, shed: Machine) -> None:
    barn = page.locator("[data-domain=barn]")
    expect(barn.locator(".link.is-up")).to_have_text("barn-house")
    expect(barn.locator("[data-node=shed]")).to_be_visible()
    page.get_by_label("Filter nodes").fill("barn shed")
    expect(barn.locator(".count")).to_have_text("1 of 2 nodes")
    expect(page.locator("[data-domain=house]")).to_be_hidden()
    page.get_by_label("Filter nodes").fill("no such node")
    expect(page.get_by_text("No node is like that.")).to_be_visible()


def test_a_new_node_appears_by_itself(page: Page, farm: WebFarm) -> None:
    expect(page.locator("[data-node=steward-barn]")).to_be_visible()
    machine = farm.enrol("house", "late-comer")
    machine.born(PARTS)
    machine.measured("load", mem_free=1)
    expect(page.locator("[data-domain=house] [data-node=late-comer] .word")).to_have_text("ready")


def test_a_node_that_leaves_is_seen_to_leave(page: Page, shed: Machine) -> None:
    word = page.locator("[data-node=shed] .word")
    shed.client.publish(shed.topic(fleet.STATE), "sleeping", retain=True)
    expect(word).to_have_text("sleeping")
    shed.client.publish(shed.topic(fleet.STATE), "ready", retain=True)
    expect(word).to_have_text("ready")


def test_plots_are_drawn_for_every_range(page: Page, shed: Machine) -> None:
    page.goto("/nodes/shed")
    plot = page.locator("[data-field=temperature].plot")
    for span in ("15 min", "1 h", "24 h", "7 d"):
        page.get_by_role("button", name=span).click()
        expect(page.get_by_role("button", name=span)).to_have_attribute("aria-pressed", "true")
        expect(plot.locator("canvas")).to_have_attribute("aria-label", re.compile("[1-9][0-9]* points"))
        assert plot.locator("canvas").evaluate(INK) > 1000
    page.get_by_role("button", name="15 min").click()
    expect(plot.locator("canvas")).to_have_attribute("aria-label", re.compile("[1-9][0-9]+ points"))
    plot.locator("canvas").hover()
    expect(plot.locator(".range")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))


def test_values_and_plots_of_a_node_follow_live(page: Page, shed: Machine) -> None:
    page.goto("/nodes/shed")
    cell = page.locator(".values [data-field=temperature] td")
    expect(cell).to_have_text(re.compile("°C"))
    shed.measured("climate", temperature=17.25, humidity=50.5)
    expect(cell).to_have_text("17.3°C")
    expect(page.locator(".plot[data-field=temperature] .now")).to_have_text("17.3\u00a0°C")
    expect(page.locator(".values [data-field=mem_free] td")).to_have_text("31.4kB")


def test_what_nodes_say_stays_text(page: Page, farm: WebFarm, shed: Machine) -> None:
    alert = {"since": now_ms(), "severity": "warning", "text": EVIL}
    shed.say(fleet.ALERT, alert, "evil", retain=True)
    shed.say(fleet.EVT, {"ts": now_ms(), "stream": "s1", "seq": 1, "text": EVIL}, "evil")
    shed.say(fleet.LOG, {"ts": now_ms(), "level": "info", "text": EVIL})
    shed.measured("words", word=EVIL)
    shed.say(fleet.TELE, {"ts": EVIL}, "climate")
    farm.until(lambda: farm.get("/api/v1/dead-letters")["items"])
    farm.until(lambda: farm.get("/api/v1/events?type=evil")["items"])
    page.goto("/nodes/shed")
    for place in ("#identity", "#alerts", "#events", "#logs", "#values"):
        expect(page.locator(place)).to_contain_text(EVIL)
    for path, place in (
        ("/", "#domains"),
        ("/alerts", "#alerts"),
        ("/events", "#events"),
        ("/dead-letters", "#letters"),
    ):
        page.goto(path)
        expect(page.locator(place)).to_contain_text("shed")
        assert page.locator("main img, main script").count() == 0
        assert page.title().endswith("farmhand")
    shed.client.publish(shed.topic(fleet.ALERT, "evil"), b"", retain=True)


def test_a_command_goes_out_and_its_answer_comes_back(page: Page, shed: Machine) -> None:
    shed.client.subscribe(shed.topic(fleet.CMD, "ping"))
    page.goto("/nodes/shed")
    page.get_by_role("button", name="Ping").click()
    command = json.loads(json.loads(shed.client.expect(lambda topic, _: topic.endswith("/cmd/ping")))["body"])
    row = page.locator(".command").first
    expect(row).to_contain_text("sent")
    answer = {"id": command["id"], "status": "done", "result": {"text": EVIL}}
    shed.say(fleet.ACK, answer, command["id"])
    expect(row.locator(".badge")).to_have_text("done")
    row.locator("summary").click()
    expect(row.locator("pre")).to_contain_text("broken in")


def test_an_alert_is_seen_and_cleared(page: Page, shed: Machine) -> None:
    shed.say(
        fleet.ALERT,
        {"since": now_ms(), "severity": "critical", "text": "on fire"},
        "fire",
        retain=True,
    )
    page.goto("/alerts")
    row = page.get_by_role("row").filter(has_text="on fire")
    row.get_by_role("button", name="Clear").click()
    expect(row).to_have_count(0)


def test_alerts_are_told_where_the_form_says(page: Page, complaints: list[str]) -> None:
    page.goto("/alerts")
    page.get_by_text("Add or change one").click()
    page.get_by_label("Kind").select_option("webhook")
    page.get_by_label("Name").fill("chat")
    page.get_by_label("Settings").fill("url=nowhere\nsecret=hush")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#notifier-problem")).to_contain_text("data.url: must be http://host")
    complaints.clear()  # of the answer 422
    page.get_by_label("Kind").select_option("mqtt")
    page.get_by_role("button", name="Keep").click()
    row = page.get_by_role("row").filter(has_text="chat")
    row.get_by_role("button", name="Test").click()
    expect(row).to_contain_text("works")
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nobody is told of alerts yet.")).to_be_visible()


def test_a_token_is_shown_once_with_the_line_to_paste(page: Page, farm: WebFarm) -> None:
    page.get_by_role("link", name="Tokens").click()
    page.get_by_label("Domain").select_option("house")
    page.get_by_label("Kind").select_option("board")
    page.get_by_label("Node id").fill("bench-1")
    page.get_by_role("button", name="Make token").click()
    port = farm.brokers.farm.domains["house"].port
    line = rf"^farmhand sentry enrol mqtt://127\.0\.0\.1:{port} fh1\.\S+ --kind board$"
    expect(page.locator("#made-command")).to_have_text(re.compile(line))
    expect(page.get_by_role("row").filter(has_text="bench-1")).to_contain_text("open")
    page.reload()
    expect(page.get_by_role("row").filter(has_text="bench-1")).to_be_visible()
    expect(page.locator("#made-command")).to_have_count(0)


def test_a_phone_needs_no_sideways_scrolling(browser: Browser, farm: WebFarm, shed: Machine) -> None:
    context = browser.new_context(base_url=farm.url, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(f"/?key={KEY}")
    for path in ("/", "/nodes/shed", "/alerts", "/events", "/tokens", "/dead-letters"):
        page.goto(path)
        expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()
