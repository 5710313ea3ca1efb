"""Reserving boards over HTTP and from the command line, of a sentry that is there over MQTT."""

import itertools
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from sentry.boards.console import Console
from tests.boards.board_sentry import BoardSentry
from tests.boards.cli import Cli
from tests.commander.serving import Serving
from tests.conftest import ROOT
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.broker
API = "/api/v1/boards"


@pytest.fixture(scope="module")
def sentry(serving: Serving) -> Iterator[BoardSentry]:
    """Four boards, one of them with a tag."""
    boards = {f"e66{n}": {"tags": ["sma"] if n == 3 else []} for n in range(4)}
    made = BoardSentry(serving, "bench", **boards)
    serving.until(lambda: free(serving) == 4)
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def tidy(serving: Serving, sentry: BoardSentry) -> Iterator[None]:
    yield
    for user in {row["user"] for row in serving.get("/boards/leases")["items"] if row["state"] != "ended"}:
        assert serving.admin.post(f"{API}/leases/end-all", json={"user": user}).status_code == 200
    serving.until(lambda: free(serving) == 4)


@pytest.fixture
def farmhand(serving: Serving) -> Iterator[Cli]:
    made = Cli(serving.url, serving.key("operator"))
    yield made
    made.close()


def free(serving: Serving) -> int:
    return serving.get("/boards/available")["count"]


def posted(client: httpx.Client, path: str, **body: Any) -> Any:
    answer = client.post(API + path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def reserved(client: httpx.Client, **body: Any) -> Any:
    return posted(client, "/leases", **{"kind": "pulsecount", **body})


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["field"]


def boards(serving: Serving, **query: Any) -> dict[str, Any]:
    return {row["serial"]: row for row in serving.get("/boards", **query)["items"]}


def until(client: httpx.Client, lease: str, test: Callable[[Any], bool]) -> Any:
    """The lease, once it is so."""

    def found() -> Any:
        row = client.get(f"{API}/leases/{lease}").json()
        return test(row) and row

    return wait_until(f"lease {lease}", found)


def user(serving: Serving, name: str) -> httpx.Client:
    """An operator of this name."""
    answer = serving.admin.post("/api/v1/keys", json={"name": name, "role": "operator"})
    return serving.client(answer.json()["key"])


def test_from_the_wish_to_the_board_and_back(serving: Serving, sentry: BoardSentry) -> None:
    ann = user(serving, "ann")
    lease = reserved(ann, count=2, args={"flush": 3}, selector={"type": "pico2-ice"})
    assert (lease["state"], lease["user"], len(lease["boards"])) == ("active", "ann", 2)
    mine = sorted(each["serial"] for each in lease["boards"])
    wait_until("the sentry's word", lambda: sorted(boards(serving, state="leased", user="ann")) == mine)
    assert free(serving) == 2
    assert serving.get("/boards/available", tag="sma")["serials"] == ["e663"]
    longer = posted(ann, f"/leases/{lease['id']}/extend", length_s=7_200)
    assert longer["until"] > lease["until"]
    assert posted(ann, "/leases/extend-all")["items"][0]["until"] == longer["until"], "never shorter"
    assert posted(ann, f"/leases/{lease['id']}/end")["why"] == "ended"
    serving.until(lambda: free(serving) == 4)
    told = serving.get(f"/boards/{mine[0]}/history")["items"]
    whats = [row["what"] for row in reversed(told) if row["lease"] == lease["id"]]
    assert whats == ["begun", "initialized", "extended", "ended"]
    assert "available" in {row["what"] for row in told}
    audit = {row["what"] for row in serving.get("/audit")["items"] if row["by"].startswith("ann (")}
    assert audit == {"boards asked for", "lease extended", "lease ended"}


def test_roles_and_wrong_wishes(serving: Serving, sentry: BoardSentry) -> None:
    ann, bob = user(serving, "ann"), user(serving, "bob")
    lease = reserved(ann, serials=["E663"])["id"]
    assert refused(bob.post(f"{API}/leases/{lease}/end")) == (403, "lease")
    assert refused(bob.post(f"{API}/leases/end-all", json={"user": "ann"})) == (403, "user")
    assert refused(bob.post(f"{API}/leases", json={"kind": "pulsecount", "priority": 1})) == (403, "priority")
    assert refused(bob.post(f"{API}/leases", json={"kind": "oscilloscope"})) == (422, "kind")
    assert refused(bob.post(f"{API}/leases", json={"kind": "pulsecount", "serials": ["e669"]})) == (422, "serials")
    assert refused(bob.post(f"{API}/leases", json={"kind": "pulsecount", "count": 5})) == (422, "count")
    assert refused(bob.post(f"{API}/leases", json={"kind": "pulsecount", "selector": {"x": 1}})) == (422, "selector.x")
    wish = {"kind": "pulsecount", "serials": ["e663"], "wait": False}
    assert refused(bob.post(f"{API}/leases", json=wish)) == (409, "wait")
    assert serving.reader.post(f"{API}/leases", json=wish).status_code == 403
    assert serving.reader.get(f"{API}/leases/{lease}").json()["user"] == "ann"
    assert refused(serving.reader.get(f"{API}/leases/l-none")) == (404, "lease")


def test_commands_to_a_board(serving: Serving, sentry: BoardSentry) -> None:
    ann, bob = user(serving, "ann"), user(serving, "bob")
    reserved(ann, serials=["e660"])
    assert posted(ann, "/e660/do", do="reboot")["status"] == "done"
    assert refused(bob.post(f"{API}/e660/do", json={"do": "reboot"})) == (403, "serial")
    sentry.works = False
    answer = serving.admin.post(f"{API}/e660/do", json={"do": "power-cycle"})
    sentry.works = True
    assert refused(answer) == (409, "do")
    assert "busy" in answer.json()["error"]["problem"]


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


def test_queue_expiry_and_events_to_listeners(serving: Serving, sentry: BoardSentry) -> None:
    ann, bob = user(serving, "ann"), user(serving, "bob")
    heard: list[dict[str, Any]] = []
    commands: list[dict[str, Any]] = []
    listening = threading.Event()

    def listen() -> None:
        with serving.client(serving.key("reader")).stream("GET", "/api/v1/live") as answer:
            kind = ""
            for line in answer.iter_lines():
                listening.set()
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind == "command":
                    commands.append(json.loads(line[6:])["args"])
                elif line.startswith("data: ") and kind == "board":
                    heard.append(json.loads(line[6:]))
                if heard and heard[-1]["what"] == "begun" and heard[-1]["user"] == "bob":
                    return

    thread = threading.Thread(target=listen)
    thread.start()
    assert listening.wait(PATIENCE)
    first = reserved(ann, count=4, length_s=4)
    waiting = reserved(bob, count=3)
    assert (waiting["state"], waiting["position"]) == ("waiting", 1)
    assert first["until"] == waiting["eta"]
    assert ann.get(f"{API}/e660/console").status_code == 200
    posted(ann, "/e660/do", do="reboot")
    wait_until("bob's turn", lambda: serving.get(f"/boards/leases/{waiting['id']}")["state"] == "active")
    assert serving.get(f"/boards/leases/{first['id']}")["why"] == "expired"
    thread.join(PATIENCE)
    assert {each["do"] for each in commands} == {"reboot"}, "who may only read sees nothing of a console"
    told = [row["what"] for row in heard if row["lease"] == first["id"]]
    assert Counter(told) == {"asked": 1, "begun": 4, "initialized": 4, "ending-soon": 4, "ended": 4}
    assert [row["state"] for row in serving.get("/boards/leases", user="bob")["items"]][:1] == ["active"]


def test_what_is_broken_or_away_is_not_given_and_its_user_is_told(serving: Serving, sentry: BoardSentry) -> None:
    ann = user(serving, "ann")
    sentry.report("e661", state="broken", problem="does not answer")
    serving.until(lambda: boards(serving, free=False))
    waiting = reserved(ann, serials=["e661"])["id"]
    lease = reserved(ann, count=3)["id"]
    assert serving.get(f"/boards/leases/{waiting}")["eta"] is None
    sentry.is_("lost")
    failing = wait_until("the failure", lambda: serving.get(f"/boards/leases/{lease}")["failing"])
    assert failing == dict.fromkeys(("e660", "e662", "e663"), "its sentry bench is lost")
    assert free(serving) == 0
    sentry.is_("ready")
    serving.until(lambda: not serving.get(f"/boards/leases/{lease}")["failing"])
    assert serving.get(f"/boards/leases/{lease}")["state"] == "active"
    sentry.report("e661", state="ready", problem="")
    serving.until(lambda: serving.get(f"/boards/leases/{waiting}")["state"] == "active")


def test_the_command_line(serving: Serving, sentry: BoardSentry, farmhand: Cli) -> None:
    assert "e660" in farmhand("list")
    assert farmhand("available", "--tag", "sma") == "1 available: e663\n"
    said = farmhand("reserve", "2", "--length", "600", "--follow")
    assert "active until" in said
    lease = said.split()[0]
    assert "no sentry has a board" in farmhand("reserve", "--serial", "e669", code=1)
    assert "args: must be a JSON object" in farmhand("reserve", "--args", "[]", code=1)
    assert "place 1 in the queue" in farmhand("reserve", "4")
    assert "are free, 4 are wanted" in farmhand("reserve", "4", "--now", code=1)
    table = farmhand("leases")
    assert lease in table
    assert "4 wanted" in table
    assert "active until" in farmhand("extend", lease)
    assert "reboot done" in farmhand("do", serving.get(f"/boards/leases/{lease}")["boards"][0]["serial"], "reboot")
    assert "begun" in farmhand("history", "--lease", lease)
    assert farmhand("end", "--all").split()[1::3] == ["ended", "ended"]
    assert farmhand("end", "--all") == "nothing to end\n"
    assert "--all" in farmhand("end", code=1)
    assert json.loads(farmhand("leases", "--json"))["items"]


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


def test_eight_clients_fight_for_four_boards(serving: Serving, sentry: BoardSentry) -> None:
    owners: dict[str, str] = {}
    problems: list[BaseException | str] = []
    lock = threading.Lock()
    served: Counter[str] = Counter()

    def enough() -> bool:
        return len(served) == 8 and min(served.values()) >= 3

    def fight(name: str, client: httpx.Client, count: int) -> None:
        try:
            while not enough() and not problems:
                lease = reserved(client, count=count, length_s=60)
                lease = until(client, lease["id"], lambda row: row["state"] == "active")
                mine = [each["serial"] for each in lease["boards"]]
                with lock:
                    problems.extend(f"{serial}: {owners[serial]} and {name}" for serial in mine if serial in owners)
                    owners.update(dict.fromkeys(mine, name))
                until(client, lease["id"], lambda row: all(each["state"] == "leased" for each in row["boards"]))
                with lock:
                    for serial in mine:
                        owners.pop(serial)
                    served[name] += 1
                posted(client, f"/leases/{lease['id']}/end")
        except BaseException as error:
            problems.append(error)

    names = [f"client-{n}" for n in range(8)]
    clients = [user(serving, name) for name in names]
    threads = [
        threading.Thread(target=fight, args=(n, c, 1 + i % 3))
        for i, (n, c) in enumerate(zip(names, clients, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE)
    assert not problems
    assert enough(), served
    assert max(served.values()) <= 4 * min(served.values()), served
    leases = [lease for each in sentry.owners.values() for lease in each]
    assert len(leases) >= sum(served.values())


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
    row.get_by_role("button", name="End").click()
    expect(row).to_contain_text("ended", timeout=30_000)
    expect(page.locator("#boards tr", has_text="ann")).to_have_count(4, timeout=30_000)
    others.get_by_role("button", name="End").click()
    expect(page.locator("#problem")).to_contain_text("needs the role admin", timeout=30_000)
    page.close()


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
    page.context.clear_cookies()
    page.goto(f"{serving.url}/?key={serving.key('reader')}")
    page.goto(f"{serving.url}/boards")
    expect(page.locator("#boards tr", has_text="e663")).to_be_visible(timeout=30_000)
    expect(page.locator("#console, #boards button")).to_have_count(0)
    page.close()


def test_news_come_in_their_order_and_once(serving: Serving, sentry: BoardSentry) -> None:
    ann = user(serving, "ann")
    lease = reserved(ann, count=2, name="night run")
    other = reserved(ann)
    named = serving.get("/boards/leases", name="night run", state="active")["items"]
    assert [row["id"] for row in named] == [lease["id"]]
    serial = lease["boards"][0]["serial"]

    def news(after: int, **more: Any) -> list[Any]:
        return serving.get("/boards/history", lease=lease["id"], after=after, **more)["items"]

    wait_until("both boards", lambda: [row["what"] for row in news(0)].count("initialized") == 2)
    seen = news(0)
    assert [row["id"] for row in seen] == sorted(row["id"] for row in seen)
    assert news(0, limit=1) == seen[:1]
    assert news(seen[-1]["id"]) == []
    sentry.event(serial, "played", lease["id"], score="c-major")
    sentry.event(serial, "results", lease["id"], batch="b", results=[["first", 7], ["second", 8]])
    wait_until("its event", lambda: news(seen[-1]["id"]))
    assert [(row["what"], row["data"]) for row in news(seen[-1]["id"])] == [("played", {"score": "c-major"})]

    def results(after: int) -> list[Any]:
        return serving.get("/boards/results", batch="b", after=after)["items"]

    wait_until("the results", lambda: len(results(0)) == 2)
    assert [row["value"] for row in results(0)] == [7, 8]
    assert [row["value"] for row in results(results(0)[0]["id"])] == [8]
    assert refused(ann.post(f"{API}/leases/{lease['id']}/end", json={"serials": ["e66x"]})) == (422, "serials")
    left = posted(ann, f"/leases/{lease['id']}/end", serials=[serial])
    assert (left["state"], len(left["boards"])) == ("active", 1)
    assert [row["id"] for row in posted(ann, "/leases/end-all", name="night run")["items"]] == [lease["id"]]
    assert serving.get(f"/boards/leases/{other['id']}")["state"] == "active"
