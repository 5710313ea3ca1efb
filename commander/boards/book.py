"""The leases while a change is made: rows as they will be, and in the end all effects of it. Pure."""

from collections.abc import Iterable
from typing import Any

from commander.boards import queue
from commander.boards.pool import DOCUMENT, Board, boards
from commander.effects import Add, Effects, Farm, Moment, Put, Row
from commander.fleet.enrolment import desire
from schema.boards import MOST_BOARDS, NODE_KIND


class Book:
    """Change leases with `begin`, `put` and `end`; `close` serves the queue and tells the sentries."""

    def __init__(self, farm: Farm, moment: Moment) -> None:
        self.farm = farm
        self.moment = moment
        self.boards = boards(farm, moment.now)
        self.leases: dict[str, Row] = {k: row for k, row in farm["board_lease"].items() if row["state"] != "ended"}
        self._usage: dict[str, Row] = {}
        self._effects: Effects = []

    def in_state(self, state: str) -> list[Row]:
        return [row for row in self.leases.values() if row["state"] == state]

    def held(self) -> dict[str, Row]:
        """serial -> the lease that has it."""
        return {serial: row for row in self.in_state("active") for serial in row["boards"]}

    def put(self, lease: Row, **changes: Any) -> Row:
        """The lease as it is from now on."""
        new = {**lease, **changes}
        self.leases[new["id"]] = new
        self._effects.append(Put("board_lease", new["id"], new))
        return new

    def add(self, *effects: Add) -> None:
        self._effects += effects

    def note(self, lease: Row, what: str, data: Row, serials: tuple[str, ...] | None = None) -> None:
        """History, for each of the lease's boards or for these; one line without a board while it has none."""
        given: dict[str, str] = lease["boards"]
        for serial in (given or ("",)) if serials is None else serials:
            row = {"ts": self.moment.now, "serial": serial, "node": given.get(serial, ""), "lease": lease["id"]}
            self.add(Add("board_history", {**row, "user": lease["user"], "what": what, "data": data}))

    def begin(self, lease: Row, given: list[Board]) -> Row:
        now = self.moment.now
        until = now + lease["length_s"] * 1000
        places = {board.serial: board.node for board in given}
        new = self.put(lease, state="active", boards=places, begun=now, used=now, until=until)
        self.note(new, "begun", {"kind": lease["kind"], "until": until})
        return new

    def end(self, lease: Row, why: str) -> Row:
        """why: ended, withdrawn, expired, idle."""
        now = self.moment.now
        new = self.put(lease, state="ended", ended=now, why=why)
        self.note(new, "ended", {"why": why, "by": self.moment.by})
        if lease["state"] == "active":
            self._charge(lease, len(lease["boards"]))
        return new

    def give_back(self, lease: Row, serials: set[str]) -> Row:
        """An active lease without some of its boards."""
        self.note(lease, "ended", {"why": "given back", "by": self.moment.by}, tuple(sorted(serials)))
        self._charge(lease, len(serials))
        kept = {part: {k: v for k, v in lease[part].items() if k not in serials} for part in ("boards", "failing")}
        return self.put(lease, **kept, had=left(lease, serials))

    def _charge(self, lease: Row, boards: int) -> None:
        user, now = lease["user"], self.moment.now
        old = self._usage.get(user) or self.farm["board_usage"].get(user)
        self._usage[user] = {
            "user": user,
            "board_ms": queue.had(old, now) + boards * max(0, now - lease["begun"]),  # a clock may have been put back
            "ts": now,
        }

    def charged(self) -> dict[str, int]:
        ended_now = {**self.farm["board_usage"], **self._usage}
        return queue.charged({"board_usage": ended_now}, self.leases.values(), self.moment.now)

    def close(self) -> Effects:
        """Give free boards to those who wait, bring the documents of all sentries up to date: all effects so far."""
        waiting = self.in_state("waiting")
        if waiting:
            given, _ = queue.serve(waiting, self.boards, self.held(), self.charged())
            for lease, mine in given.items():
                self.begin(self.leases[lease], mine)
        for user, row in self._usage.items():
            self._effects.append(Put("board_usage", user, row))
        return self._effects + self._documents()

    def _documents(self) -> Effects:
        nodes = [node["id"] for node in self.farm["node"].values() if node["kind"] == NODE_KIND]
        wanted: dict[str, list[Row]] = {node: [] for node in nodes}
        for serial, lease in sorted(self.held().items()):
            node = lease["boards"][serial]
            if node in wanted and len(wanted[node]) < MOST_BOARDS:
                about = {"serial": serial, "lease": lease["id"], "kind": lease["kind"], "args": lease["args"]}
                wanted[node].append(about)
        effects: Effects = []
        for node, given in wanted.items():
            effects += desire(self.farm, node, DOCUMENT, {"boards": given}, self.moment)
        return effects


def left(lease: Row, serials: Iterable[str]) -> dict[str, list[str]]:
    """`had` of the lease once these boards are no longer where it has them."""
    had: dict[str, list[str]] = lease["had"]
    gone: dict[str, str] = {serial: lease["boards"][serial] for serial in serials}
    return had | {serial: sorted({*had.get(serial, ()), node}) for serial, node in gone.items()}


def is_of(lease: Row, serial: str, node: str) -> bool:
    """Whether the lease has this board at this sentry, or had it."""
    return lease["boards"].get(serial) == node or node in lease["had"].get(serial, ())
