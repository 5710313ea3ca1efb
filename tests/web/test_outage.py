"""When the commander goes, the page says so, and goes on by itself when the commander is back."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.web.farm import KEY, WebFarm

pytestmark = [pytest.mark.browser, pytest.mark.broker]


def test_a_lost_connection_is_seen_and_mended(browser: Browser, tmp_path: Path) -> None:
    farm = WebFarm(tmp_path / "state", nodes_on_paper=500)
    context = browser.new_context(base_url=farm.url)
    page = context.new_page()
    page.goto(f"/?key={KEY}")
    state = page.locator("#connection")
    expect(state).to_have_attribute("data-state", "live")
    expect(page.locator("[data-domain=barn] .row")).to_have_count(501)
    farm.stop_commander()
    expect(state).to_have_attribute("data-state", "lost")
    expect(page.get_by_role("alert")).to_contain_text("Connection lost")
    farm.start_commander()
    expect(state).to_have_attribute("data-state", "live", timeout=15_000)
    expect(page.get_by_role("alert")).to_be_hidden()
    context.close()
    farm.stop()
