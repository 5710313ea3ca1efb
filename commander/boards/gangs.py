"""Wishes that are served together or not at all. Pure."""

from collections.abc import Iterable, Mapping

from commander.boards.pool import Board, suits
from commander.effects import Row


def gangs(wishes: Iterable[Row]) -> dict[str, list[Row]]:
    """name -> wishes of one gang; most are alone."""
    found: dict[str, list[Row]] = {}
    for wish in wishes:
        found.setdefault(wish["gang"] or wish["id"], []).append(wish)
    return found


def matched(gang: Iterable[Row], boards: Iterable[Board]) -> dict[str, list[Board]]:
    """id of a wish -> boards for it, none for two; as many of what the gang wants as there can be. A board that can
    little comes before one that somebody may ask for by what it can; among equals a good one before a shaky one.

    A shaky board goes before a special one: who must not have it can say so (`health`), while nobody can help himself
    who waits for the special one that was given away.
    """
    wishes = {wish["id"]: wish for wish in gang}
    known = list(boards)
    able = {name: _by_worth(board for board in known if suits(board, wish)) for name, wish in wishes.items()}
    if len(wishes) == 1:
        return {name: mine[: wishes[name]["count"]] for name, mine in able.items()}
    owner: dict[str, str] = {}

    def find(name: str, seen: set[str]) -> bool:
        """One more board for this wish, if need be by another one for whoever has it (Kuhn's augmenting path)."""
        for board in able[name]:
            if board.serial in seen:
                continue
            seen.add(board.serial)
            has = owner.get(board.serial)
            if has is None or (has != name and find(has, seen)):
                owner[board.serial] = name
                return True
        return False

    for name in sorted(wishes, key=lambda name: len(able[name])):
        for _ in range(wishes[name]["count"]):
            if not find(name, set()):
                break
    return {name: [board for board in able[name] if owner.get(board.serial) == name] for name in wishes}


def is_complete(gang: Iterable[Row], given: Mapping[str, list[Board]]) -> bool:
    return all(len(given[wish["id"]]) == wish["count"] for wish in gang)


def lacking(gang: Iterable[Row], given: Mapping[str, list[Board]]) -> list[Row]:
    """The wishes for which one more board would be one more for the gang: those that are not met, and those whose
    boards would do for them.
    """
    wishes = list(gang)
    short = [wish for wish in wishes if len(given[wish["id"]]) < wish["count"]]
    for wish in short:  # grows meanwhile
        rest = [other for other in wishes if other not in short]
        short += [other for other in rest if any(suits(board, wish) for board in given[other["id"]])]
    return short


def is_possible(gang: list[Row], boards: Iterable[Board]) -> bool:
    """Whether these boards are enough for it."""
    if len(gang) == 1:
        return sum(suits(board, gang[0]) for board in boards) >= gang[0]["count"]
    return is_complete(gang, matched(gang, boards))


def _by_worth(boards: Iterable[Board]) -> list[Board]:
    return sorted(boards, key=lambda board: (len(board.tags), board.health != "good", board.serial))
