"""The boards of the farm as their sentries report them, and which of them suit a wish. Pure."""

from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from commander.effects import Farm, Row
from commander.fleet.presence import presence
from schema.boards import MOST_BOARDS, NODE_KIND, STATES
from schema.message import Invalid, is_id

DOCUMENT = "leases"
PLAIN = ("type", "health", "node", "domain")
"""Of a selector: what a board has one of."""
WELL, UNWELL = ("good", "shaky"), ("broken", "quarantine")
HEALTH = (*WELL, *UNWELL)
"""good: no failure lately; shaky: it works, but failed lately; the others are states in which none is given out."""


class Board(NamedTuple):
    """A board that is plugged in. `presence`: its sentry's; `lease`: the one that the sentry knows of; `kinds`: what
    its sentry can make of it; `health`: one of HEALTH; `firmware`: what runs on it, `firmwares`: what its sentry has,
    as name@version."""

    serial: str
    node: str
    domain: str
    presence: str
    state: str
    type: str
    tags: tuple[str, ...]
    firmware: str
    problem: str
    lease: str
    kinds: tuple[str, ...]
    health: str = "good"
    firmwares: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether it is free, or will be once whoever has it gives it back."""
        return self.presence == "ready" and self.state not in UNWELL

    @property
    def ready(self) -> bool:
        """Whether it can be given out, as far as its sentry knows."""
        return self.presence == "ready" and self.state == "ready"

    @property
    def trouble(self) -> str:
        """Why its user cannot use it; empty: nothing is known."""
        if self.presence not in ("ready", "unheard"):
            return f"its sentry {self.node} is {self.presence}"
        return f"{self.state}: {self.problem}".removesuffix(": ") if self.state in UNWELL else ""


def boards(farm: Farm, now: int) -> dict[str, Board]:
    """serial -> board, of all sentries of kind `board`; one that two of them report is with the one that is there, and
    that said so last."""
    found: dict[str, Board] = {}
    rank: dict[str, tuple[bool, int]] = {}
    for node, row in _reports(farm):
        seen = presence(farm, node, now)
        mine = (seen == "ready", row["updated"])
        for board in _remembered(node, seen, row):
            if mine > rank.get(board.serial, (False, -1)):
                found[board.serial], rank[board.serial] = board, mine
    return found


def kinds(farm: Farm) -> list[str]:
    """What boards can be reserved as, on whichever sentry."""
    return sorted({kind for _, row in _reports(farm) for kind in _texts(row["data"], "kinds")})


def firmwares(farm: Farm) -> list[str]:
    """What can be put onto boards, by whichever sentry."""
    return sorted({each for _, row in _reports(farm) for each in _firmwares(row["data"])})


def is_firmware(wanted: str, has: Iterable[str]) -> bool:
    """Whether it is there: by its name, or a version of it as name@version."""
    return any(wanted in (each, each.partition("@")[0]) for each in has)


def suits(board: Board, wish: Row) -> bool:
    """Whether the wish (kind, serials, selector) means this board too; whether it is free is another question."""
    selector: Row = wish["selector"]
    return (
        wish["kind"] in board.kinds
        and (not wish["serials"] or board.serial in wish["serials"])
        and all(getattr(board, name) == selector[name] for name in PLAIN if name in selector)
        and set(selector.get("tags", ())) <= set(board.tags)
        and ("firmware" not in selector or is_firmware(selector["firmware"], board.firmwares))
    )


def whatever_health(wish: Row) -> Row:
    """The wish without what it says of health, which comes and goes: what it could mean one day."""
    return {**wish, "selector": {name: value for name, value in wish["selector"].items() if name != "health"}}


def _reports(farm: Farm) -> list[tuple[Row, Row]]:
    nodes = [node for node in list(farm["node"].values()) if node["kind"] == NODE_KIND]
    found = [(node, farm["reported"].get((node["id"], DOCUMENT))) for node in nodes]
    return [(node, row) for node, row in found if row and isinstance(row["data"], dict)]


def _remembered(node: Row, seen: str, row: Row) -> list[Board]:
    """Rows are never changed in place, so what was read of this very row still holds."""
    known = _READ.get(node["id"])
    if known is None or known[0] is not row or known[1] != seen:
        known = _READ[node["id"]] = (row, seen, _reported(node, seen, row["data"]))
    return known[2]


_READ: dict[str, tuple[Row, str, list[Board]]] = {}


def _reported(node: Row, seen: str, data: Row) -> list[Board]:
    # A stranger's JSON: what is not as it should be is not there.
    given = data.get("boards")
    rows = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    able, images = tuple(_texts(data, "kinds")), tuple(_firmwares(data))
    found: list[Board] = []
    for serial, said in sorted(rows.items())[:MOST_BOARDS]:
        if isinstance(said, dict) and _is_serial(serial):
            row = cast("Row", said)
            state = row.get("state")
            words = (_text(row, "type"), tuple(_texts(row, "tags")), _text(row, "firmware"), _text(row, "problem"))
            word = state if state in STATES else "broken"
            health = word if word in UNWELL else "shaky" if row.get("shaky") is True else "good"
            place = serial, node["id"], node["domain"], seen
            found.append(Board(*place, word, *words, _text(row, "lease"), able, health, images))
    return found


def _firmwares(data: Row) -> list[str]:
    given = data.get("firmware")
    told = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    return [f"{name}@{version}"[:256] for name, version in sorted(told.items()) if isinstance(version, str)]


def _is_serial(serial: str) -> bool:
    try:
        is_id("serial", serial)
    except Invalid:
        return False
    return True


def _text(row: Row, field: str) -> str:
    value = row.get(field)
    return value[:256] if isinstance(value, str) else ""


def _texts(row: Row, field: str) -> list[str]:
    value = row.get(field)
    return [each for each in cast("list[Any]", value) if isinstance(each, str)] if isinstance(value, list) else []
