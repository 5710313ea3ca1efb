"""A farm in memory with boards, and how to ask it for them as the line would."""

import itertools
from collections.abc import Callable
from typing import Any

from commander.boards import leases, rules
from commander.boards.wishes import Asker, Limits
from commander.effects import Add, Effects, Farm, Moment, Put, Row, Send
from commander.projection import Projection
from commander.tables import keys
from schema import fleet
from schema.boards import BOARD_EVENT, LEASES
from schema.message import check
from schema.topics import Address
from tests.commander.line import NOW, door, node_row

KINDS = ["pulsecount", "variance"]
HOUR = 3_600_000


def wish(count: int | None = 1, **more: Any) -> Row:
    """What the API makes of a body that says as much."""
    return {
        **{"kind": "pulsecount", "args": {}, "count": count, "serials": [], "selector": {}, "length_s": None},
        **{"id": None, "idle_s": None, "priority": 0, "name": "", "wait": True, "together": [], **more},
    }


class BoardFarm:
    """`hosts`: how many boards each sentry has. Time stands still but for `later`; every document is what its sentry
    makes of its boards at the next `settle`."""

    def __init__(self, limits: Limits | None = None, **hosts: int) -> None:
        self.farm = Projection(keys())
        self.farm["door"] = {"house": door("house", since=0)}
        self.limits = limits or Limits()
        self.now = NOW
        self.history: list[Row] = []
        self.results: list[Row] = []
        self.audit: list[Row] = []
        self.said: dict[str, dict[str, Row]] = {}
        self.firmware: dict[str, Any] = dict.fromkeys(hosts, FIRMWARE)
        self._dice = itertools.count(1)
        for node, number in hosts.items():
            self.farm.apply(
                Put("node", node, node_row(node, kind="board", state="ready", shown="ready", alive_ms=60_000))
            )
            self.said[node] = {f"{node}-{n}": {"state": "ready", **ICE} for n in range(number)}
            self.hear(node)
            self.report(node)

    # --- what happens ------------------------------------------------------------------------------------------------
    def ask(self, what: Callable[..., tuple[Any, Effects]], *arguments: Any) -> Any:
        answer, effects = what(self.farm, *arguments, self.moment())
        self.apply(effects)
        return answer

    def reserve(self, user: str = "ann", count: int | None = 1, admin: bool = False, **more: Any) -> Row:
        return self.gang(user, wish(count, **more), admin)[0]

    def gang(self, user: str, asked: Row, admin: bool = False) -> list[Row]:
        return self.ask(leases.reserve, Asker(user, admin), asked, self.limits)

    def extend(self, user: str, lease: str, length_s: int | None = None) -> Row:
        return self.ask(leases.extend, Asker(user), lease, length_s, self.limits)

    def end(self, user: str, lease: str, *serials: str, admin: bool = False) -> Row:
        return self.ask(leases.end, Asker(user, admin), lease, list(serials))

    def later(self, seconds: float) -> None:
        """Time passes, sentries that are there are heard all the while, and the line ticks at the end of it."""
        self.now += round(seconds * 1000)
        for node in self.said:
            if self.farm["node"].get(node, {}).get("state") != "lost":
                self.hear(node)
        self.apply(rules.on_tick(self.farm, self.moment()))

    def settle(self) -> None:
        """Every sentry makes of its boards what its document says, and reports."""
        for node, boards in self.said.items():
            given = {each["serial"]: each for each in self.document(node)}
            for serial, row in boards.items():
                if row["state"] not in ("broken", "quarantine"):
                    row.pop("lease", None)
                    row["state"] = "ready"
                    if serial in given:
                        row |= {"state": "leased", "lease": given[serial]["lease"]}
            self.report(node)

    def report(self, node: str, **changed: Row | None) -> None:
        """A sentry tells of its boards; a board that is None has been unplugged."""
        for serial, row in changed.items():
            name = serial.replace("_", "-")
            if row is None:
                self.said[node].pop(name, None)
            else:
                self.said[node][name] = {**ICE, **self.said[node].get(name, {}), **row}
        boards = {serial: dict(row) for serial, row in self.said[node].items()}
        data = {"boards": boards, "kinds": KINDS, "firmware": self.firmware[node]}
        at = Address(fleet.REPORTED.key, "house", node, "self", "leases")
        message = {"rev": 0, "status": "applied", "data": data}
        self.apply(rules.RULES["reported/leases"](self.farm, at, message, self.moment()))

    def event(self, node: str, serial: str, event: str, seq: int, lease: str = "", **contents: Any) -> None:
        data: Row = {"ts": self.now, "stream": "s", "seq": seq, "event": event, "contents": contents}
        data |= {"lease": lease} if lease else {}
        check(BOARD_EVENT, data)
        at = Address(fleet.EVT.key, "house", node, serial, "board")
        self.apply(rules.RULES["evt/board"](self.farm, at, data, self.moment()))

    def hear(self, node: str) -> None:
        self.farm.apply(Put("heard", node, {"node": node, "ts": self.now}))

    def state(self, node: str, word: str) -> None:
        self.farm.apply(Put("node", node, {**self.farm["node"][node], "state": word, "state_at": self.now}))

    def moment(self) -> Moment:
        return Moment(self.now, lambda size: next(self._dice).to_bytes(size, "big"), by="tester")

    def apply(self, effects: Effects) -> None:
        for effect in effects:
            if isinstance(effect, Put):
                self.farm.apply(effect)
            elif isinstance(effect, Add) and effect.table == "board_history":
                self.history.append(effect.row)
            elif isinstance(effect, Add) and effect.table == "board_result":
                self.results.append(effect.row)
            elif isinstance(effect, Add) and effect.table == "audit":
                self.audit.append(effect.row)
            elif isinstance(effect, Send) and effect.name == "leases":
                check(LEASES, effect.data["data"])

    # --- what is to be seen ------------------------------------------------------------------------------------------
    def lease(self, name: str) -> Row:
        return self.farm["board_lease"][name]

    def state_of(self, name: str) -> str:
        return self.lease(name)["state"]

    def document(self, node: str) -> list[Row]:
        row = self.farm["desired"].get((node, "leases"))
        return row["data"]["boards"] if row else []

    def told(self, lease: str) -> list[str]:
        return [row["what"] for row in self.history if row["lease"] == lease]


ICE = {"type": "pico2-ice", "tags": ["up5k"], "firmware": "default"}
FIRMWARE = {"default": "d1", "pulse_count": "p1", "variance": "v1"}


def unchanged(farm: Farm) -> dict[str, dict[Any, Row]]:
    """A copy to compare with."""
    return {name: dict(rows) for name, rows in farm.items()}
