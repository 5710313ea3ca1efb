"""A wish that is made again because its answer was lost. Pure."""

from commander.boards.wishes import Asker, Limits, decided, parts_of
from commander.effects import Farm, Refused, Row


def made_before(farm: Farm, asker: Asker, wish: Row, limits: Limits) -> list[Row]:
    """The leases of the wish that had this id, as they are now; none: there was none. Refused: it was another wish."""
    first = farm["board_lease"].get(wish["id"])
    if first is None:
        return []
    others = [row for row in farm["board_lease"].values() if row["gang"] == first["id"] and row is not first]
    left, found = [first, *others], list[Row]()
    for part in parts_of(wish):
        asked = decided(asker, part, limits)
        found += [row for row in left if all(row[name] == value for name, value in asked.items())][:1]
        left = [row for row in left if row not in found]
    is_whole = not left and found[0] is first and len(found) == len(parts_of(wish))
    would_wait = first["state"] == "waiting" and not wish["wait"]
    if not is_whole or would_wait or first["gang"] not in ("", first["id"]):
        raise Refused("id", f"{first['id']} is the id of another wish; take one that is new", 409)
    return found
