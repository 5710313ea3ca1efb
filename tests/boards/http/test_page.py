"""The page of boards, as a person sees it."""

import pytest
from playwright.sync_api import Browser, expect

from tests.boards.board_sentry import BoardSentry
from tests.boards.http.asking import reserved, user
from tests.commander.serving import Serving

pytestmark = pytest.mark.broker


@pytest.mark.browser
def test_the_page(serving: Serving, sentry: BoardSentry, browser: Browser) -> None:
    key, name = serving.key("operator"), "test operator"
    mine = reserved(serving.client(key), serials=["e662"], name="night run")
    other = reserved(user(serving, "ann"), count=4)
    page = browser.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{serving.url}/?key={key}")
    page.get_by_role("link", name="Boards", exact=True).click()
    row = page.locator("#leases tr", has_text=mine["id"])
    expect(row).to_contain_text(name, timeout=30_000)
    others = page.locator("#leases tr", has_text=other["id"])
    expect(others).to_contain_text("place 1", timeout=30_000)
    expect(page.locator("#boards tr", has_text="e662")).to_contain_text("leased", timeout=30_000)
    expect(row).to_contain_text("night run")
    page.locator("#boards tr", has_text="e662").get_by_role("button", name="Reboot").click()
    page.locator("#boards tr", has_text="e662").get_by_role("button", name="Delete").click()
    sentry.event("e662", "results", mine["id"], batch="b-page", results=[["by-7.bin", 1_714_285]], took_ms=1_003)
    result = page.locator("#results tr", has_text="by-7.bin")
    expect(result).to_contain_text("1,714,285", timeout=30_000)
    expect(result).to_contain_text("1003 ms")
    sentry.event("e662", "evaluation-failed", mine["id"], batch="b-page", evaluation="short.bin", problem="has 2 bytes")
    expect(page.locator("#results tr", has_text="short.bin")).to_contain_text("has 2 bytes", timeout=30_000)
    wide = "() => [...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth).length"
    assert page.evaluate(wide) == 0
    row.get_by_role("button", name="End").click()
    expect(row).to_contain_text("ended", timeout=30_000)
    expect(page.locator("#boards tr", has_text="ann")).to_have_count(4, timeout=30_000)
    others.get_by_role("button", name="End").click()
    expect(page.locator("#problem")).to_contain_text("needs the role admin", timeout=30_000)
    page.get_by_role("link", name="e661").click()
    expect(page.locator("#history-of")).to_contain_text("History of e661")
    expect(page.locator("#history tr", has_text="e661").first).to_be_visible(timeout=30_000)
    expect(page.locator(":is(#history, #results) tr", has_text="e662")).to_have_count(0)
    page.close()


@pytest.mark.browser
def test_many_leases_and_a_problem_in_one_long_word(serving: Serving, sentry: BoardSentry, browser: Browser) -> None:
    users = [user(serving, name) for name in ("ann", "bob")]
    leases = [reserved(each, count=4)["id"] for each in users for _ in range(60)]
    sentry.report("e661", state="broken", problem="no place: /run/" + "x" * 200)
    for width in (1280, 390):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(f"{serving.url}/?key={serving.key('operator')}")
        page.goto(f"{serving.url}/boards")
        expect(page.locator("#leases tbody tr", has_text="pulsecount").filter(has_not_text="ended")).to_have_count(
            len(leases), timeout=30_000
        )
        expect(page.locator("#boards tr", has_text="e661")).to_contain_text("broken", timeout=30_000)
        wide = (
            "() => [...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth).length"
        )
        assert page.evaluate(wide) == 0, width
        page.close()
    sentry.report("e661", problem="")
    sentry.heal()
