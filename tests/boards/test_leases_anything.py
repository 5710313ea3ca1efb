"""Whatever is asked and whatever happens to boards: no board has two owners, and nobody waits who could be served."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from commander.boards import leases, queue, sharing
from commander.boards.leases import Whose
from commander.boards.pool import WELL, Board, boards, suits
from commander.boards.wishes import Asker, Limits
from commander.effects import Refused, Row
from schema.boards import STATES
from tests.boards.board_farm import BoardFarm

HOSTS = {"h": 3, "g": 2}
SERIALS = [f"{node}-{n}" for node, number in HOSTS.items() for n in range(number)]
LIMITS = Limits(max_s=2_000)
users = st.sampled_from(["ann", "bob", "cat"])
places = st.sampled_from(SERIALS)
selectors = st.fixed_dictionaries(
    {},
    optional={
        "node": st.sampled_from([*HOSTS, "x"]),
        "tags": st.lists(st.sampled_from(["up5k", "sma"]), unique=True),
        "firmware": st.sampled_from(["default", "default@d1", "default@d2"]),
        "health": st.sampled_from(WELL),
    },
)
MORE: dict[str, st.SearchStrategy[Any]] = {
    "serials": st.lists(places, max_size=2),
    "selector": selectors,
    "length_s": st.sampled_from([1, 60, 1_500, 2_500]),
    "idle_s": st.sampled_from([None, 30]),
    "priority": st.sampled_from([0, 0, 3]),
    "wait": st.booleans(),
    "kind": st.sampled_from(["pulsecount", "pulsecount", "variance", "none"]),
}


class Anything(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.farm = BoardFarm(LIMITS, **HOSTS)
        self.given: set[str] = set()

    # --- what may happen ---------------------------------------------------------------------------------------------
    @rule(
        user=users,
        admin=st.booleans(),
        count=st.none() | st.integers(0, 6),
        more=st.fixed_dictionaries({}, optional=MORE),
    )
    def reserve(self, user: str, admin: bool, count: int | None, more: Row) -> None:
        waits = more.get("wait", True)
        try:
            lease = self.farm.reserve(user, count, admin, **more)
        except Refused as error:
            assert error.problem  # noqa: PT017
            return
        assert lease["state"] in (("active", "waiting") if waits else ("active",))

    @precondition(lambda self: self.farm.farm["board_lease"])
    @rule(user=users, admin=st.booleans(), extend=st.booleans(), random=st.data())
    def change(self, user: str, admin: bool, extend: bool, random: st.DataObject) -> None:
        name = random.draw(st.sampled_from(sorted(self.farm.farm["board_lease"])))
        what: Any = (leases.extend, None, LIMITS) if extend else (leases.end, [])
        try:
            row = self.farm.ask(what[0], Asker(user, admin), name, *what[1:])
        except Refused as error:
            assert error.status in (403, 409)  # noqa: PT017
            return
        assert admin or row["user"] == user
        assert extend == (row["state"] == "active")

    @rule(user=users)
    def end_all(self, user: str) -> None:
        self.farm.ask(leases.end_all, Whose(user))
        assert not [row for row in self.open() if row["user"] == user]

    @rule(seconds=st.sampled_from([1, 29, 61, 700]))
    def time_passes(self, seconds: int) -> None:
        self.farm.later(seconds)

    @rule()
    def sentries_do_it(self) -> None:
        self.farm.settle()

    @rule(
        serial=places,
        state=st.sampled_from([*STATES, "ready", "nonsense"]),
        tags=st.sampled_from([["up5k"], ["sma"]]),
        shaky=st.booleans(),
    )
    def board_says(self, serial: str, state: str, tags: list[str], shaky: bool) -> None:
        self.farm.report(serial[0], **{serial.replace("-", "_"): {"state": state, "tags": tags, "shaky": shaky}})

    @rule(serial=places, elsewhere=st.booleans())
    def unplugged(self, serial: str, elsewhere: bool) -> None:
        name = serial.replace("-", "_")
        for node in HOSTS:
            self.farm.report(node, **{name: None})
        if elsewhere:
            self.farm.report("h" if serial[0] == "g" else "g", **{name: {"state": "ready"}})

    @rule(node=st.sampled_from(sorted(HOSTS)), word=st.sampled_from(["ready", "ready", "lost", "init"]))
    def sentry_is(self, node: str, word: str) -> None:
        self.farm.state(node, word)
        self.farm.later(1)

    @rule()
    def who_is_asked_gives_back(self) -> None:
        self.farm.settle()
        charge = queue.charged(self.farm.farm, self.open(), self.farm.now)
        asked = sharing.asked_back(self.waiting(), self.active(), self.boards(), charge)
        waiting = {row["id"] for row in self.waiting()}
        for lease, (count, serials) in asked.items():
            row = self.farm.lease(lease)
            assert 0 < count < len(row["boards"])
            self.farm.end(row["user"], lease, *serials[:count])
        self.farm.settle()
        assert not asked or {row["id"] for row in self.active()} & waiting

    # --- what always holds -------------------------------------------------------------------------------------------
    @invariant()
    def no_board_has_two_owners(self) -> None:
        held = [serial for row in self.active() for serial in row["boards"]]
        assert len(held) == len(set(held))
        in_documents = [each["serial"] for node in HOSTS for each in self.farm.document(node)]
        assert sorted(in_documents) == sorted(held)

    @invariant()
    def a_lease_has_all_that_it_asked_for_and_only_what_was_ready(self) -> None:
        known = self.boards()
        for row in self.active():
            assert len(row["boards"]) == row["count"] or (row["id"] in self.given and row["boards"])
            assert not row["serials"] or set(row["boards"]) <= set(row["serials"])
            assert row["begun"] <= row["used"]
            assert row["until"] <= row["begun"] + LIMITS.max_s * 1000
            if row["id"] not in self.given and row["begun"] == self.farm.now:
                mine = [known[serial] for serial in row["boards"]]  # some may have been made what it asks for already
                assert all((b.ready or b.lease == row["id"]) and suits(b, row) for b in mine)
            self.given.add(row["id"])
        for row in self.waiting():
            assert (row["boards"], row["until"]) == ({}, 0)

    @invariant()
    def nobody_waits_who_could_be_served_in_his_turn(self) -> None:
        known = self.boards()
        held = {serial for row in self.active() for serial in row["boards"]}
        free = [board for board in known.values() if board.ready and board.serial not in held]
        charge = queue.charged(self.farm.farm, self.open(), self.farm.now)
        before: list[Row] = []
        for row in sorted(self.waiting(), key=lambda row: queue.rank(row, charge)):
            mine = [board for board in free if suits(board, row) and not any(suits(board, each) for each in before)]
            assert len(mine) < row["count"]
            if sum(board.well and suits(board, row) for board in known.values()) >= row["count"]:
                before.append(row)

    @invariant()
    def everyone_who_waits_has_a_place(self) -> None:
        until = {serial: row["until"] for row in self.active() for serial in row["boards"]}
        charge = queue.charged(self.farm.farm, self.open(), self.farm.now)
        found = queue.forecast(self.waiting(), self.boards(), until, charge, self.farm.now)
        assert sorted(place for place, _ in found.values()) == list(range(1, len(self.waiting()) + 1))
        assert all(eta is None or eta >= self.farm.now - 1_000 for _, eta in found.values())

    def boards(self) -> dict[str, Board]:
        return boards(self.farm.farm, self.farm.now)

    def open(self) -> list[Row]:
        return [row for row in self.farm.farm["board_lease"].values() if row["state"] != "ended"]

    def active(self) -> list[Row]:
        return [row for row in self.open() if row["state"] == "active"]

    def waiting(self) -> list[Row]:
        return [row for row in self.open() if row["state"] == "waiting"]


Anything.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestAnything = Anything.TestCase
