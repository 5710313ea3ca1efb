"""What the page of a node shows of frame streams and updates, and how a node is removed with it."""

import re

import pytest
from playwright.sync_api import Page, expect

from schema import fleet
from tests.web.farm import KEY, WebFarm, now_ms

pytestmark = [pytest.mark.browser, pytest.mark.broker]

BIRTH = {
    **{"schema": 1, "boot": "b1", "kind": "esp", "software": "farmhand 0.1.0", "alive_ms": 60_000},
    "parts": {"mpu6050": {"x": "m/s2"}},
    "streams": {"mpu6050": {"fields": ["x"], "units": ["m/s2"], "scale": [0.01], "frame_ms": 2_000, "values": 20}},
}


def test_a_frame_stream_is_seen_like_telemetry(page: Page, farm: WebFarm) -> None:
    shaker = farm.enrol("barn", "shaker")
    shaker.say(fleet.INFO, BIRTH, retain=True)
    for age in (3_000, 2_000, 1_000):
        shaker.say(fleet.LATEST, {"ts": now_ms() - age, "x": 1}, "mpu6050", retain=True)
    page.goto("/nodes/shaker")
    expect(page.locator(".values [data-field=x] td")).to_have_text("1m/s²")
    shaker.say(fleet.LATEST, {"ts": now_ms(), "x": 9.81}, "mpu6050", retain=True)
    expect(page.locator(".values [data-field=x] td")).to_have_text("9.81m/s²")
    plot = page.locator("[data-part=mpu6050] [data-field=x].plot")
    expect(plot.locator(".now")).to_have_text("9.81\u00a0m/s²")
    expect(plot.locator("canvas")).to_have_attribute("aria-label", re.compile("4 points"))
    expect(page.locator("#identity")).to_contain_text("frames mpu6050every 2\u00a0s or 20 values")


def test_an_update_is_followed(page: Page, farm: WebFarm) -> None:
    node = farm.enrol("barn", "updated")
    node.say(fleet.INFO, BIRTH, retain=True)
    wish = {"version": "v2", "manifest": "0" * 64, "size": 9}
    assert farm.api.put("/api/v1/nodes/updated/desired/software", json={"data": wish}).status_code == 200
    page.goto("/nodes/updated")
    document = page.locator(".document[data-doc=software]")
    expect(document.locator("summary")).to_contain_text("v2")
    expect(document.locator(".badge")).to_have_text("waiting")
    node.say(fleet.REPORTED, {"rev": 1, "status": "pending", "data": {"pct": 42}}, "software", retain=True)
    expect(document.locator(".badge")).to_have_text("pending 42 %")
    failed = {"rev": 1, "status": "failed", "error": "did not start"}
    node.say(fleet.REPORTED, failed, "software", retain=True)
    expect(document.locator(".badge")).to_have_text("failed")
    expect(document).to_contain_text("did not start")


def test_the_alert_of_a_sensor_comes_and_goes(page: Page, farm: WebFarm) -> None:
    node = farm.enrol("barn", "broken")
    node.say(fleet.INFO, BIRTH, retain=True)
    page.goto("/nodes/broken")
    alert = {"since": now_ms(), "severity": "error", "text": "no answer from address 0x68"}
    node.say(fleet.ALERT, alert, "mpu6050", retain=True)
    expect(page.locator("#alerts .alert")).to_contain_text("no answer from address 0x68")
    expect(page.locator("#alerts .alert")).to_contain_text("mpu6050")
    node.client.publish(node.topic(fleet.ALERT, "mpu6050"), b"", retain=True)
    expect(page.locator("#alerts .alert")).to_have_count(0)


def test_a_node_is_removed_by_who_is_sure(page: Page, farm: WebFarm) -> None:
    farm.enrol("house", "worn-out").say(fleet.INFO, BIRTH, retain=True)
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.goto("/nodes/worn-out")
    page.get_by_role("button", name="Remove this node").click()
    assert len(asked) == 1
    assert asked[0].startswith("Remove worn-out from the farm? Its credential stops working at once")
    assert farm.get("/api/v1/nodes/worn-out")["id"] == "worn-out"
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove this node").click()
    page.wait_for_url(re.compile("/$"))
    expect(page.locator("[data-node=steward-house]")).to_be_visible()
    expect(page.locator("[data-node=worn-out]")).to_have_count(0)
    assert farm.api.get("/api/v1/nodes/worn-out").status_code == 404


def test_who_may_not_remove_a_node_has_no_button_for_it(page: Page, farm: WebFarm) -> None:
    farm.enrol("house", "kept").say(fleet.INFO, BIRTH, retain=True)
    page.goto("/nodes/steward-house")
    expect(page.get_by_role("button", name="Ping")).to_be_visible()
    expect(page.get_by_role("button", name="Remove this node")).to_have_count(0)
    made = farm.api.post("/api/v1/keys", json={"name": "test", "role": "operator"}).json()
    page.goto(f"/?key={made['key']}")
    page.goto("/nodes/kept")
    expect(page.get_by_role("button", name="Ping")).to_be_visible()
    expect(page.get_by_role("button", name="Remove this node")).to_have_count(0)
    page.goto(f"/?key={KEY}")
