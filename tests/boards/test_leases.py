"""Who gets which board, for how long, and what is told: the rules, second by second."""

from typing import Any

import pytest

from commander.boards import leases, orders, wishes
from commander.boards.leases import Whose
from commander.boards.wishes import Asker, Limits
from commander.effects import Put, Refused
from commander.fleet.orders import remove_node
from commander.fleet.rules import on_tick
from tests.boards.board_farm import HOUR, BoardFarm, unchanged


@pytest.fixture
def farm() -> BoardFarm:
    """Two hosts: h with three boards, g with one."""
    return BoardFarm(h=3, g=1)


def refused(farm: BoardFarm, what: Any, *arguments: Any, **more: Any) -> Refused:
    before = unchanged(farm.farm)
    with pytest.raises(Refused) as error:
        what(*arguments, **more)
    assert unchanged(farm.farm) == before
    return error.value


def test_a_lease_is_in_the_documents_of_its_sentries_until_it_ends(farm: BoardFarm) -> None:
    lease = farm.reserve("ann", 4, args={"flush": 3})
    assert (lease["state"], lease["until"] - farm.now, len(lease["boards"])) == ("active", HOUR, 4)
    assert [each["serial"] for each in farm.document("h")] == ["h-0", "h-1", "h-2"]
    one = {"serial": "g-0", "lease": lease["id"], "kind": "pulsecount", "args": {"flush": 3}}
    assert farm.document("g") == [one]
    farm.settle()
    assert farm.end("ann", lease["id"])["why"] == "ended"
    assert farm.document("h") == farm.document("g") == []
    assert farm.told(lease["id"]) == ["asked", *["begun"] * 4, *["ended"] * 4]
    assert [row["what"] for row in farm.audit] == ["boards asked for", "lease ended"]
    assert farm.end("ann", lease["id"])["state"] == "ended", "twice does no harm"


def test_by_serial_and_by_selector(farm: BoardFarm) -> None:
    farm.report("h", h_1={"tags": ["up5k", "sma"]})
    assert list(farm.reserve(count=None, serials=["H-2"])["boards"]) == ["h-2"]
    assert list(farm.reserve(selector={"tags": ["sma"]})["boards"]) == ["h-1"]
    assert list(farm.reserve(selector={"node": "g", "type": "pico2-ice"})["boards"]) == ["g-0"]
    assert list(farm.reserve(selector={"domain": "house", "firmware": "default"})["boards"]) == ["h-0"]


def test_a_board_that_can_more_is_kept_for_who_needs_it(farm: BoardFarm) -> None:
    farm.report("g", g_0={"tags": ["a"]})
    farm.report("h", h_0={"tags": ["a", "b", "c"]}, h_1={"tags": ["a", "b"]})
    assert [next(iter(farm.reserve()["boards"])) for _ in range(4)] == ["g-0", "h-2", "h-1", "h-0"]


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("kind", {"kind": "oscilloscope"}),
        ("kind", {"kind": "No Id"}),
        ("serials", {"count": None, "serials": ["h-0", "h-9"]}),
        ("serials", {"count": None, "serials": ["h-0", "H-0"]}),
        ("serials", {"count": None, "serials": ["h-0", "g-0"], "selector": {"node": "h"}}),
        ("count", {"count": 5}),
        ("count", {"count": 2, "serials": ["h-0"]}),
        ("count", {"count": 1, "selector": {"tags": ["up5k", "sma"]}}),
        ("length_s", {"length_s": 86_401}),
        ("idle_s", {"idle_s": 86_401}),
        ("priority", {"priority": 1}),
        ("args", {"args": {"text": "x" * 600}}),
    ],
)
def test_what_can_never_be_is_refused_whether_or_not_one_would_wait(
    farm: BoardFarm, field: str, more: dict[str, Any]
) -> None:
    error = refused(farm, farm.reserve, **more)
    assert (error.field, error.status) == (field, 403 if field == "priority" else 422)


def test_not_now_says_why_or_waits(farm: BoardFarm) -> None:
    farm.reserve("ann", 3, selector={"node": "h"})
    farm.report("g", g_0={"state": "broken"})
    error = refused(farm, farm.reserve, "bob", 2, wait=False)
    assert (error.field, error.status) == ("wait", 409)
    assert error.problem == "0 of the 4 boards that suit are free, 2 are wanted; 1 are out of order"
    assert farm.reserve("bob", 2)["state"] == "waiting"


@pytest.mark.parametrize("state", ["flashing", "testing", "preparing", "leased", "broken", "quarantine", "odd", None])
def test_only_a_ready_board_is_given(farm: BoardFarm, state: str | None) -> None:
    farm.report("g", g_0={"state": state})
    lease = farm.reserve(count=None, serials=["g-0"])
    assert lease["state"] == "waiting"
    farm.report("g", g_0={"state": "ready"})
    assert farm.state_of(lease["id"]) == "active"


def test_a_sentry_that_is_not_there_gives_nothing(farm: BoardFarm) -> None:
    farm.state("h", "lost")
    lease = farm.reserve(count=2)
    assert lease["state"] == "waiting"
    farm.state("h", "ready")
    farm.later(1)
    assert farm.state_of(lease["id"]) == "active"


def test_extending_is_an_hour_from_now_and_has_an_end() -> None:
    farm = BoardFarm(Limits(max_s=5_400), h=1)
    lease = farm.reserve()["id"]
    begun = farm.now
    farm.later(600)
    assert farm.extend("ann", lease)["until"] == farm.now + HOUR
    assert farm.extend("ann", lease, 60)["until"] == farm.now + HOUR, "never shorter"
    farm.later(3_000)
    assert farm.extend("ann", lease)["until"] == begun + 5_400_000
    farm.later(1_800)
    assert farm.lease(lease)["why"] == "expired"
    assert refused(farm, farm.extend, "ann", lease).status == 409


def test_ending_soon_is_told_once_and_again_after_an_extension(farm: BoardFarm) -> None:
    long, short = farm.reserve()["id"], farm.reserve(length_s=30)["id"]
    farm.later(19)
    assert "ending-soon" not in farm.told(short)
    farm.later(1)
    farm.later(1)
    assert farm.told(short).count("ending-soon") == 1
    farm.later(2_400 - 22)
    assert "ending-soon" not in farm.told(long)
    for _ in range(3):
        farm.later(1)
    assert farm.told(long).count("ending-soon") == 1
    farm.extend("ann", long)
    farm.later(2_401)
    assert farm.told(long).count("ending-soon") == 2


def test_a_lease_stays_when_its_board_fails_and_its_user_is_told(farm: BoardFarm) -> None:
    lease = farm.reserve(count=None, serials=["g-0"])["id"]
    farm.settle()
    farm.state("g", "lost")
    farm.later(1)
    farm.later(1)
    assert farm.lease(lease)["failing"] == {"g-0": "its sentry g is lost"}
    farm.state("g", "ready")
    farm.report("g", g_0={"state": "broken", "problem": "no answer to 1200 baud"})
    farm.later(1)
    assert farm.lease(lease)["failing"] == {"g-0": "broken: no answer to 1200 baud"}
    farm.report("g", g_0=None)
    farm.later(1)
    assert farm.lease(lease)["failing"] == {"g-0": "it is not plugged in"}
    farm.report("h", g_0={"state": "ready"})
    farm.later(1)
    assert (farm.state_of(lease), farm.lease(lease)["failing"]) == ("active", {})
    assert [len(farm.document(node)) for node in ("g", "h")] == [0, 1], "plugged into the other host"
    assert farm.told(lease)[2:] == ["failure"] * 3 + ["well-again"]
    assert farm.reserve("bob", None, serials=["g-0"])["state"] == "waiting"


def test_a_sentry_that_was_removed_and_comes_back_is_told_again(farm: BoardFarm) -> None:
    lease = farm.reserve(count=None, serials=["g-0"])["id"]
    row = farm.farm["node"]["g"]
    farm.farm.apply(Put("node", "steward-house", {**row, "id": "steward-house", "kind": "steward"}))
    farm.apply(remove_node(farm.farm, "g", farm.moment()))
    farm.later(1)
    farm.farm.apply(Put("node", "g", row))
    farm.later(1)
    assert [each["lease"] for each in farm.document("g")] == [lease]


def test_others_leases_are_an_admins(farm: BoardFarm) -> None:
    lease = farm.reserve("ann", 2)["id"]
    assert refused(farm, farm.end, "bob", lease).status == 403
    assert refused(farm, farm.extend, "bob", lease).status == 403
    assert refused(farm, farm.end, "bob", "l-0").status == 404
    assert farm.ask(leases.end_all, Whose("bob")) == []
    waiting = farm.reserve("ann", 4)["id"]
    assert {row["why"] for row in farm.ask(leases.end_all, Whose("ann"))} == {"ended", "withdrawn"}
    assert farm.state_of(waiting) == "ended"


def test_extend_all(farm: BoardFarm) -> None:
    names = [farm.reserve("ann")["id"] for _ in range(2)]
    other = farm.reserve("bob")["id"]
    farm.later(100)
    assert {row["id"] for row in farm.ask(leases.extend_all, Whose("ann"), None, farm.limits)} == set(names)
    assert [farm.lease(name)["until"] - farm.now for name in (*names, other)] == [HOUR, HOUR, HOUR - 100_000]


def test_one_user_cannot_fill_the_queue(farm: BoardFarm) -> None:
    for _ in range(4 + wishes.MOST_WAITING):
        farm.reserve("ann")
    assert refused(farm, farm.reserve, "ann").status == 409
    assert farm.reserve("bob")["state"] == "waiting"


def test_commands_to_a_board_are_its_users(farm: BoardFarm) -> None:
    farm.reserve("ann", None, serials=["g-0"])
    assert refused(farm, farm.ask, orders.order, Asker("bob"), "g-0", "reboot").status == 403
    assert refused(farm, farm.ask, orders.order, Asker("bob"), "x-9", "reboot").status == 404
    assert refused(farm, farm.ask, orders.order, Asker("ann"), "g-0", "explode").field == "do"
    row = farm.ask(orders.order, Asker("ann"), "g-0", "reboot")
    assert (row["node"], row["name"], row["args"]) == ("g", "board", {"serial": "g-0", "do": "reboot"})
    assert farm.ask(orders.order, Asker("bob"), "h-0", "delete")["args"]["serial"] == "h-0"


def test_who_may_look_at_a_console_and_that_it_leaves_no_trace(farm: BoardFarm) -> None:
    farm.reserve("ann", serials=["g-0"])
    said = list(farm.audit)
    assert refused(farm, farm.ask, orders.look, Asker("bob"), "g-0", 0).status == 403
    assert refused(farm, farm.ask, orders.look, Asker("ann"), "x-9", 0).status == 404
    for asker in (Asker("ann"), Asker("root", admin=True)):
        row = farm.ask(orders.look, asker, "g-0", 7)
        assert (row["node"], row["args"]) == ("g", {"serial": "g-0", "do": "console", "after": 7})
    farm.ask(orders.look, Asker("bob"), "h-0", 0)
    assert farm.audit == said
    farm.farm.apply(Put("heard", "g", None))
    away = refused(farm, farm.ask, orders.look, Asker("ann"), "g-0", 0)
    assert (away.status, away.problem) == (409, "its sentry g is lost")
    deed = farm.ask(orders.order, Asker("ann"), "h-0", "reboot")["id"]
    farm.apply(on_tick(farm.farm, row["exp"] + 1))
    assert list(farm.farm["command"]) == [deed], "questions are forgotten"


def test_what_boards_tell_is_in_their_history_and_results_are_not(farm: BoardFarm) -> None:
    lease = farm.reserve("ann", None, serials=["g-0"])["id"]
    farm.event("g", "g-0", "initialized", 1, lease)
    farm.event("g", "g-0", "initialized", 1, lease)
    farm.event("g", "g-0", "results", 2, lease, batch="b", results=[["e", 7]])
    farm.event("g", "g-0", "state", 3, **{"from": "ready", "to": "broken"})
    farm.event("g", "g-0", "results", 4, lease, data="hello!")
    rows = [
        row for row in farm.history if row["serial"] == "g-0" and row["what"] in ("initialized", "results", "state")
    ]
    told = [(row["what"], row["user"]) for row in rows]
    assert told == [("initialized", "ann"), ("state", ""), ("results", "ann")]
    assert rows[-1]["data"] == {"data": "hello!"}, "of a state of one's own, which calls something else so"


def test_a_board_that_becomes_free_is_told_unless_somebody_gets_it(farm: BoardFarm) -> None:
    farm.history.clear()
    lease = farm.reserve("ann", 4)["id"]
    farm.settle()
    waiting = farm.reserve("bob", 1)["id"]
    farm.end("ann", lease)
    farm.settle()
    assert farm.state_of(waiting) == "active"
    assert sorted(row["serial"] for row in farm.history if row["what"] == "available") == ["g-0", "h-1", "h-2"]


def test_ended_leases_are_forgotten_after_a_day(farm: BoardFarm) -> None:
    lease = farm.reserve()["id"]
    farm.end("ann", lease)
    farm.later(86_400)
    assert lease in farm.farm["board_lease"]
    farm.later(1)
    assert lease not in farm.farm["board_lease"]


def test_some_boards_of_a_lease_are_given_back(farm: BoardFarm) -> None:
    lease = farm.reserve("ann", 3, selector={"node": "h"})
    farm.settle()
    wrong = refused(farm, farm.end, "ann", lease["id"], "h-0", "g-0")
    assert wrong.field == "serials"
    assert "g-0 is not of" in wrong.problem
    farm.later(60)
    left = farm.end("ann", lease["id"], "H-0", "h-2")
    assert (left["state"], list(left["boards"])) == ("active", ["h-1"])
    assert [each["serial"] for each in farm.document("h")] == ["h-1"]
    assert farm.farm["board_usage"]["ann"]["board_ms"] == 2 * 60_000
    farm.settle()
    assert set(farm.reserve("bob", 2, selector={"node": "h"})["boards"]) == {"h-0", "h-2"}
    assert farm.end("ann", lease["id"], "h-1")["state"] == "ended", "the last one ends it"


def test_a_program_means_only_its_own(farm: BoardFarm) -> None:
    one, other = farm.reserve("ann", name="one"), farm.reserve("ann", name="other")
    farm.reserve("bob", name="one")
    assert [row["id"] for row in farm.ask(leases.extend_all, Whose("ann", "one"), None, farm.limits)] == [one["id"]]
    assert [row["id"] for row in farm.ask(leases.end_all, Whose("ann", "other"))] == [other["id"]]
    assert len(farm.ask(leases.end_all, Whose("ann"))) == 1
