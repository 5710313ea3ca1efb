"""What a person sees: the farm that `farmhand up` starts, in a real browser."""

import pytest
from playwright.sync_api import Browser, expect

from tests.system.conftest import LinkedFarm

PATIENCE_MS = 60_000

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.micropython]


def test_the_figures_of_the_micropython_node_change(farm: LinkedFarm, browser: Browser) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{farm.api.url}/?key={farm.api.key}")
    row = page.get_by_role("link", name="esp-1").locator("xpath=ancestor::*[.//*[contains(text(), 'rtt')]][1]")
    expect(row).to_contain_text("ready", timeout=PATIENCE_MS)
    before = row.inner_text()
    page.wait_for_function(
        "([row, before]) => row.innerText !== before", arg=[row.element_handle(), before], timeout=PATIENCE_MS
    )
    page.get_by_role("link", name="esp-1").first.click()
    expect(page.locator("body")).to_contain_text("connectivity", timeout=PATIENCE_MS)
    assert complaints == []
    page.close()
