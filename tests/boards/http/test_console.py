"""The console of a board over HTTP, from the command line, and on the page."""

import itertools
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from farmhand_client import FarmError, PulseCountClient
from playwright.sync_api import Browser, expect

from sentry.boards.console import Console
from tests.boards.board_sentry import BoardSentry
from tests.boards.cli import Cli
from tests.boards.http.asking import API, boards, refused, reserved, user
from tests.commander.serving import Serving
from tests.conftest import ROOT

pytestmark = pytest.mark.broker


def test_a_console_is_read_part_by_part(serving: Serving, sentry: BoardSentry) -> None:
    ann, bob = user(serving, "ann"), user(serving, "bob")
    reserved(ann, serials=["e661"])
    for number in range(450):
        sentry.consoles["e661"].said(f"pulses: {number}")
    path = f"{API}/e661/console"
    parts: list[Any] = []
    while not parts or parts[-1]["more"]:
        after = parts[-1]["lines"][-1]["n"] if parts else 0
        parts.append(ann.get(path, params={"after": after}).json())
    assert [len(part["lines"]) for part in parts] == [200, 200, 50]
    lines = [line for part in parts for line in part["lines"]]
    assert [line["text"] for line in lines] == [f"pulses: {number}" for number in range(450)]
    assert {line["from"] for line in lines} == {"board"}
    assert ann.get(path, params={"after": lines[-1]["n"]}).json() == {"lines": [], "more": False}
    # Who may not, and what cannot be told now.
    assert refused(serving.reader.get(path)) == (403, "role")
    assert refused(bob.get(path)) == (403, "serial")
    assert refused(ann.get(f"{API}/e669/console")) == (404, "serial")
    assert refused(ann.get(path, params={"after": -1})) == (422, "after")
    sentry.works = False
    assert refused(ann.get(path)) == (409, "console")
    sentry.works = True
    sentry.is_("lost")
    serving.until(lambda: boards(serving)["e661"]["presence"] == "lost")
    assert refused(ann.get(path)) == (409, "serial")
    sentry.is_("ready")
    serving.until(lambda: boards(serving)["e661"]["presence"] == "ready")
    # Looking leaves nothing behind for readers, and nothing in the audit log.
    assert not [row for row in serving.get("/commands", node="bench")["items"] if row["args"].get("do") == "console"]
    assert not [row for row in serving.get("/audit")["items"] if row["data"].get("args", {}).get("do") == "console"]


def test_the_client_has_all_parts_of_a_console(serving: Serving, sentry: BoardSentry) -> None:
    board = sentry.consoles["e662"]
    board.note("flashed pulse_count")
    board.sent(bytes(104_090), 104_090)
    for number in range(448):
        board.said(f"pulses: {number}")
    client = PulseCountClient(serving.url, "looks", key=serving.key("operator"))
    lines = client.console("E662")[-450:]
    assert [line.text for line in lines[1:]] == ["104,090 bytes", *(f"pulses: {number}" for number in range(448))]
    assert [line.source for line in lines[:3]] == ["note", "sentry", "board"]
    assert lines[0].ts <= lines[-1].ts
    assert client.console("e662", lines[-2].n) == lines[-1:]
    with pytest.raises(FarmError, match="e669") as error:
        client.console("e669")
    assert error.value.status == 404
    client.close()


def test_the_command_line_shows_a_console(serving: Serving, sentry: BoardSentry, farmhand: Cli) -> None:
    console = sentry.consoles["e660"]
    console.note("flashed pulse_count")
    console.sent(b"[bold]hello\n", 12)
    console.said("pulses: 7")
    shown = farmhand("console", "E660").splitlines()
    assert [line.split(" ", 2)[2] for line in shown] == ["- flashed pulse_count", "> [bold]hello", "< pulses: 7"]
    assert farmhand("console", "e660", "--replay", "--speed", "50").splitlines() == shown
    assert [json.loads(line)["text"] for line in farmhand("console", "e660", "--json").splitlines()][-1] == "pulses: 7"
    assert "no sentry has a board" in farmhand("console", "e669", code=1)
    command = [sys.executable, "-m", "farmhand", "boards", "console", "e660", "--follow"]
    given = {"FARMHAND_URL": serving.url, "FARMHAND_KEY": serving.key("operator"), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env={**os.environ, **given}, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        try:
            assert [following.stdout.readline().rstrip("\n") for _ in shown] == shown
            console.said("pulses: 8")
            assert following.stdout.readline().endswith("< pulses: 8\n")
        finally:
            following.kill()


@pytest.mark.browser
def test_the_console_on_the_page(serving: Serving, sentry: BoardSentry, browser: Browser) -> None:
    clock = itertools.count(1_795_000_000_000, 8_000)
    console = sentry.consoles["e663"] = Console(lambda: next(clock))
    console.note("flashed pulse_count")
    console.sent(bytes(104_090), 104_090)
    for text in ("pulses: 1", "<img src=x>", "pulses: 3"):
        console.said(text)
    page = browser.new_page()
    lines, replay = page.locator("#console .line"), page.locator("#console-replay")
    page.goto(f"{serving.url}/?key={serving.key('operator')}")
    page.goto(f"{serving.url}/boards")
    page.locator("#boards tr", has_text="e663").get_by_role("button", name="Console").click()
    expect(lines).to_have_count(5, timeout=30_000)
    expect(lines.nth(1)).to_contain_text("sent104,090 bytes")
    expect(lines.nth(3)).to_contain_text("<img src=x>")
    console.said("pulses: live")
    expect(lines.nth(5)).to_contain_text("pulses: live", timeout=30_000)
    # Five pauses of 3 s: it is stopped long before its end.
    replay.click()
    expect(replay).to_have_text("Stop the replay")
    expect(lines.first).to_contain_text("flashed pulse_count")
    expect(lines).not_to_have_count(6)
    replay.click()
    expect(lines).to_have_count(6)
    page.get_by_label("Speed of the replay").select_option("16")
    replay.click()
    expect(replay).to_have_text("Replay", timeout=12_000)
    expect(lines).to_have_count(6)
    ask = "([a, b, speed]) => import('/static/console.js').then(m => m.pauseBefore({ts: a}, b && {ts: b}, speed))"
    paces = ([500, 100, 1], 400), ([500, 100, 4], 100), ([900_000, 1, 1], 3_000), ([1, 500, 1], 0), ([5, 0, 1], 0)
    assert [page.evaluate(ask, times) for times, _ in paces] == [pause for _, pause in paces]
    other = page.locator("#boards tr", has_text="e662")
    reserved(user(serving, "ann"), serials=["e662"])
    other.get_by_role("button", name="Console").click()
    expect(page.locator("#console-problem")).to_contain_text("e662 is of ann", timeout=30_000)
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#console")).to_be_hidden()
    page.goto("about:blank")  # it would go to the log-in by itself
    page.context.clear_cookies()
    page.goto(f"{serving.url}/?key={serving.key('reader')}")
    page.goto(f"{serving.url}/boards")
    expect(page.locator("#boards tr", has_text="e663")).to_be_visible(timeout=30_000)
    expect(page.locator("#console, #boards button")).to_have_count(0)
    page.close()
