"""Reserving boards over HTTP and from the command line."""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from commander import api, boards_cli
from tests.boards.board_sentry import BoardSentry
from tests.boards.cli import Cli
from tests.boards.http.asking import API, boards, free, posted, refused, reserved, until, user
from tests.commander.serving import Serving
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.broker


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
    by = [row["data"]["by"] for row in told if row["lease"] == lease["id"] and row["what"] in ("extended", "ended")]
    assert [each.partition(" ")[0] for each in by] == ["ann", "ann"]
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
    for field, value in (("count", True), ("count", "1"), ("length_s", True), ("wait", 1)):
        assert refused(bob.post(f"{API}/leases", json={"kind": "pulsecount", field: value})) == (422, field)
    assert refused(bob.post(f"{API}/leases", content=b'{"kind"')) == (422, "body")
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


def test_a_sentry_that_is_slow_is_waited_for(
    serving: Serving, sentry: BoardSentry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say = sentry._say

    def slow(*arguments: Any, **more: Any) -> None:
        threading.Event().wait(1)
        say(*arguments, **more)

    monkeypatch.setattr(api, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(sentry, "_say", slow)
    impatient = api.Api(Path(), serving.url, serving.key("operator"))
    monkeypatch.setattr(boards_cli, "Api", lambda *_: impatient)
    with impatient._http:
        boards_cli.do("e660", "reboot")
    assert capsys.readouterr().out == "e660: reboot done\n"


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
    serial = serving.get(f"/boards/leases/{lease}")["boards"][0]["serial"]
    assert "reboot done" in farmhand("do", serial, "reboot")
    assert f"begun       {lease} of test operator, kind pulsecount, until" in farmhand("history", "--lease", lease)
    assert farmhand("history", "e669") == "nothing happened\n"
    assert farmhand("results", "--batch", "b-cli") == "no results\n"
    sentry.event(serial, "results", lease, batch="b-cli", results=[["0-a.bin", 12], ["1-b.bin", 13]], took_ms=1_003)
    serving.until(lambda: len(serving.get("/boards/results", batch="b-cli")["items"]) == 2)
    told = [line.split(maxsplit=1)[-1] for line in farmhand("results", "--batch", "b-cli").splitlines()]
    assert told == ["b-cli", f"{serial}  1-b.bin: 13  took 1003 ms", f"{serial}  0-a.bin: 12  took 1003 ms"]
    assert [line.split()[1] for line in farmhand("end", "--all").splitlines()] == ["ended", "ended"]
    assert farmhand("end", "--all") == "nothing to end\n"
    assert "--all" in farmhand("end", code=1)
    assert json.loads(farmhand("leases", "--json"))["items"]


def test_a_gang(serving: Serving, sentry: BoardSentry, farmhand: Cli) -> None:
    tagged = {"kind": "variance", "selector": {"tags": ["sma"]}}
    first = reserved(serving.operator, count=2, together=[tagged])
    (second,) = first["together"]
    assert (first["state"], second["state"], second["gang"]) == ("active", "active", first["id"])
    assert [board["serial"] for board in second["boards"]] == ["e663"]
    assert refused(serving.operator.post(f"{API}/leases", json={"kind": "pulsecount", "together": [{"count": 1}]})) == (
        422,
        "together.0.kind",
    )
    said = farmhand("reserve", "1", "--together", "1 variance tag=sma")
    assert [line.split()[1:5] for line in said.splitlines()] == [["waiting,", "place", "1", "in"]] * 2
    assert posted(serving.operator, f"/leases/{first['id']}/end")["state"] == "ended"
    posted(serving.operator, f"/leases/{second['id']}/end")
    rows = json.loads(farmhand("reserve", "1", "--together", "1 variance", "--follow", "--json"))
    assert {rows["state"], rows["together"][0]["state"]} == {"active"}
    for wrong in ("variance", "1", "1 variance tag", "1 variance colour=red"):
        assert "COUNT KIND" in farmhand("reserve", "--together", wrong, code=1)


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
    for first in range(3):  # those who want as much as each other
        equal = [served[name] for name in names[first::3]]
        assert max(equal) <= 4 * min(equal), served
    leases = [lease for each in sentry.owners.values() for lease in each]
    assert len(leases) >= sum(served.values())


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
    batch = "b" * 128
    sentry.event(serial, "results", lease["id"], batch=batch, results=[["first", 7], ["second", 8]])
    wait_until("its event", lambda: news(seen[-1]["id"]))
    assert [(row["what"], row["data"]) for row in news(seen[-1]["id"])] == [("played", {"score": "c-major"})]

    def results(after: int) -> list[Any]:
        return serving.get("/boards/results", batch=batch, after=after)["items"]

    wait_until("the results", lambda: len(results(0)) == 2)
    assert [row["value"] for row in results(0)] == [7, 8]
    assert [row["value"] for row in results(results(0)[0]["id"])] == [8]
    assert refused(ann.post(f"{API}/leases/{lease['id']}/end", json={"serials": ["e66x"]})) == (422, "serials")
    left = posted(ann, f"/leases/{lease['id']}/end", serials=[serial])
    assert (left["state"], len(left["boards"])) == ("active", 1)
    assert [row["id"] for row in posted(ann, "/leases/end-all", name="night run")["items"]] == [lease["id"]]
    assert serving.get(f"/boards/leases/{other['id']}")["state"] == "active"
