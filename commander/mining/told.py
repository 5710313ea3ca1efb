"""Looks into documents of nodes, which are a stranger's JSON: what is not as it should be is not there. Pure."""

from typing import Any, cast

from commander.effects import Farm, Row


def names_in(row: Row | None, part: str) -> set[str]:
    """The `name` of each object in a list of a document."""
    found = _part(row, part)
    rows = cast(list[Any], found) if isinstance(found, list) else []
    names = [cast(dict[str, Any], each).get("name") for each in rows if isinstance(each, dict)]
    return {name for name in names if isinstance(name, str)}


def objects_in(row: Row | None, part: str) -> dict[str, dict[str, Any]]:
    """name -> object of a map in a document."""
    found = _part(row, part)
    rows = cast(dict[str, Any], found) if isinstance(found, dict) else {}
    return {name: cast(dict[str, Any], each) for name, each in rows.items() if isinstance(each, dict)}


def reported_miners(farm: Farm, node: str) -> dict[str, dict[str, Any]]:
    """What `reported/playbooks` says of each miner, by name."""
    return objects_in(farm["reported"].get((node, "playbooks")), "miners")


def in_maintenance(farm: Farm, node: str) -> bool:
    """Whether the host's watchdog rests while people are at work there."""
    return _part(farm["reported"].get((node, "playbooks")), "maintenance") is True


def _part(row: Row | None, part: str) -> Any:
    data = row["data"] if row else None
    return cast(dict[str, Any], data).get(part) if isinstance(data, dict) else None
