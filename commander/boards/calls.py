"""Calls of methods of leased boards, and the results that they tell. Pure."""

from typing import Any, cast

from commander.boards.leases import mine, touch
from commander.boards.wishes import Asker
from commander.effects import Add, Effects, Farm, Moment, Refused, Row
from commander.fleet.orders import command
from schema.boards import MOST_CALLED, MOST_FILES
from schema.topics import Address

CALL_S = 120  # the sentry fetches the files before it answers
MOST_RESULTS = 1_000  # of one event
RESULTS, FAILED = "results", "evaluation-failed"


def call(farm: Farm, asker: Asker, lease: str, wish: Row, moment: Moment) -> tuple[list[Row], Effects]:
    """Call a method of boards of a lease: (a command for each sentry, effects).

    wish: method, args, serials (none: all of the lease), files: [{name, sha256}] which have been uploaded before.
    """
    row = mine(farm, asker, lease)
    if row["state"] != "active":
        raise Refused("lease", f"{lease} is {row['state']}: it has no boards", 409)
    places: dict[str, str] = row["boards"]
    serials: list[str] = [serial.lower() for serial in wish["serials"]] or list(places)
    strangers = [serial for serial in serials if serial not in places]
    if strangers:
        raise Refused("serials", f"{', '.join(strangers)[:200]} is not of {lease}; allowed: {', '.join(places)[:300]}")
    if len(serials) > MOST_CALLED:
        raise Refused("serials", f"must be at most {MOST_CALLED} at once")
    if len(wish["files"]) > MOST_FILES:
        raise Refused("files", f"must be at most {MOST_FILES} at once")
    for file in wish["files"]:
        if file["sha256"] not in farm["blob"]:
            raise Refused("files.sha256", f"{file['sha256'][:64]} has not been uploaded", 404)
    rows: list[Row] = []
    effects: Effects = touch(farm, lease, moment)
    for node in sorted({places[serial] for serial in serials}):
        args = {"serials": [serial for serial in serials if places[serial] == node], "lease": lease}
        args |= {name: wish[name] for name in ("method", "args", "files")}
        sent, more = command(farm, node, "board-call", args, CALL_S, moment)
        rows.append(sent)
        effects += more
    return rows, effects


def results(at: Address, data: Row, user: str, moment: Moment) -> list[Add]:
    """Rows of `board_result` for what a board tells; a stranger's JSON: what is not as it should be is not there."""
    contents = data["contents"]
    if not isinstance(contents, dict) or data["event"] not in (RESULTS, FAILED):
        return []
    told = cast(Row, contents)
    head = {"ts": data["ts"] or moment.now, "lease": data.get("lease", ""), "user": user, "node": at.node}
    head |= {"serial": at.device, "batch": _text(told.get("batch"))}
    head |= {name: _amount(told.get(name)) for name in ("gate_ms", "took_ms")}
    if data["event"] == FAILED:
        problem = _text(told.get("problem"), 512) or "failed"
        return [_row(head, _text(told.get("evaluation")), None, problem, _text(told.get("cause")))]
    given = told.get("results")
    pairs = cast("list[Any]", given)[:MOST_RESULTS] if isinstance(given, list) else []
    rows = [cast("list[Any]", each) for each in pairs if isinstance(each, list)]
    return [_row(head, _text(each[0]), each[1], "") for each in rows if len(each) == 2]


def _row(head: Row, evaluation: str, value: Any, problem: str, cause: str = "") -> Add:
    given = {"evaluation": evaluation, "value": value, "problem": problem, "cause": cause}
    return Add("board_result", {**head, **given})


def _text(value: Any, most: int = 128) -> str:
    return value[:most] if isinstance(value, str) else ""


def _amount(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
