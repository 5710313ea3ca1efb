"""Logging in: a key becomes a cookie that scripts cannot read and other sites cannot use."""

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from commander.http.access import COOKIE
from tests.web.farm import KEY, WebFarm

pytestmark = [pytest.mark.browser, pytest.mark.broker]


def test_a_guest_logs_in_and_gets_where_he_wanted(context: BrowserContext, farm: WebFarm) -> None:
    page = context.new_page()
    page.goto("/alerts?of=barn")
    expect(page).to_have_url(f"{farm.url}/login?next=/alerts%3Fof%3Dbarn")
    page.get_by_label("API key").fill("fk_wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert").filter(has_text="unknown")).to_be_visible()
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{farm.url}/alerts?of=barn")
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()


def test_the_printed_link_logs_in_and_leaves_no_key_behind(page: Page, farm: WebFarm) -> None:
    expect(page).to_have_url(f"{farm.url}/")
    [cookie] = page.context.cookies()
    assert cookie.get("name") == COOKIE
    assert cookie.get("httpOnly")
    assert cookie.get("sameSite") == "Strict"


def test_logging_out_forgets_the_key(page: Page, farm: WebFarm) -> None:
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{farm.url}/login")
    assert page.context.cookies() == []


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_no_log_in_leads_to_another_site(farm: WebFarm, target: str) -> None:
    form = {"key": KEY, "next": target}
    answer = httpx.post(f"{farm.url}/login", data=form, headers={"Origin": farm.url})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:1", "https://evil.example", "null", ""])
def test_a_change_with_the_cookie_needs_our_own_origin(farm: WebFarm, origin: str) -> None:
    wish = {"domain": "barn", "kind": "esp"}
    headers = {"Cookie": f"{COOKIE}={KEY}", **({"Origin": origin} if origin else {})}
    for path in ("/api/v1/tokens", "/logout"):
        answer = httpx.post(farm.url + path, json=wish, headers=headers)
        assert (answer.status_code, answer.json()["error"]["field"]) == (403, "origin")
    ours = httpx.post(f"{farm.url}/api/v1/tokens", json=wish, headers=headers | {"Origin": farm.url})
    assert ours.status_code == 201


@pytest.mark.parametrize("path", ["/", "/login", "/alerts", "/static/farm.js"])
def test_every_answer_forbids_foreign_and_inline_code(farm: WebFarm, path: str) -> None:
    answer = farm.api.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert "<script>" not in answer.text


def test_a_reader_sees_no_buttons_that_would_be_refused(context: BrowserContext, farm: WebFarm) -> None:
    key = farm.api.post("/api/v1/keys", json={"name": "eyes", "role": "reader"}).json()["key"]
    page = context.new_page()
    page.goto(f"/?key={key}")
    expect(page.get_by_role("link", name="Events")).to_be_visible()
    expect(page.get_by_role("link", name="Tokens")).to_have_count(0)
    page.goto("/nodes/steward-barn")
    expect(page.get_by_role("button", name="15 min")).to_be_visible()
    expect(page.get_by_role("button", name="Restart")).to_have_count(0)
    page.goto("/tokens")
    expect(page.get_by_text("needs a key of the role admin")).to_be_visible()
