"""What people ask of ASICs: into and out of the document `asics` of the sentry that watches them. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from commander.effects import Effects, Farm, Moment, Refused, Row, audit
from commander.fleet.hashes import hashed_id
from commander.fleet.orders import set_desired
from commander.mining.told import objects_in
from schema.asics import ASICS, check_names
from schema.message import Invalid, check

DOCUMENT = "asics"
KIND = "asic"


def records(farm: Farm, node: str) -> list[Row]:
    """What the sentry shall watch, as its document has it."""
    row = farm["desired"].get((node, DOCUMENT))
    return list(row["data"]["asics"]) if row else []


def allowed(farm: Farm, node: str, role: str, new: Sequence[Row]) -> None:
    """Refused (403) when somebody below an admin lets an ASIC be controlled that could not be before, or one that
    stands elsewhere now."""
    known = {each["name"]: each for each in records(farm, node)}
    for each in new:
        old = known.get(each.get("name", ""))
        if each.get("control") and role != "admin":
            same = old and old["control"] and all(old.get(f) == each.get(f) for f in ("type", "host", "port"))
            if not same:
                raise Refused("control", f"{each.get('name')}: this needs the role admin", 403)


def allowed_document(farm: Farm, node: str, role: str, data: Any) -> None:
    """The same for a whole document by hand."""
    _check(data)
    allowed(farm, node, role, data["asics"])


def add(farm: Farm, node: str, new: Sequence[Row], moment: Moment) -> Effects:
    """Have these watched too. Refused (409) when a name is taken."""
    sentry_of(farm, node)
    refuse_taken(farm, node, new)
    return _save(farm, node, [*records(farm, node), *new], moment, "ASICs added", {"asics": new})


def refuse_taken(farm: Farm, node: str, new: Sequence[Row]) -> None:
    """Refused (409) when one of the names is another ASIC's."""
    known = {each["name"] for each in records(farm, node)}
    for each in new:
        if each["name"] in known:
            raise Refused("name", f"{node} has an ASIC {each['name']}", 409)


def change(farm: Farm, node: str, name: str, role: str, fields: Row, moment: Moment) -> Effects:
    """Other values for these fields of its record; None takes one out."""
    old = record(farm, node, name)
    new = {field: value for field, value in {**old, **fields}.items() if value is not None}
    allowed(farm, node, role, [new])
    kept = [new if each["name"] == name else each for each in records(farm, node)]
    return _save(farm, node, kept, moment, "ASIC changed", {"name": name, **fields})


def remove(farm: Farm, node: str, name: str, moment: Moment) -> Effects:
    """Watch it no longer; its history stays."""
    record(farm, node, name)
    kept = [each for each in records(farm, node) if each["name"] != name]
    return _save(farm, node, kept, moment, "ASIC removed", {"name": name})


def record(farm: Farm, node: str, name: str) -> Row:
    """Refused (404) when there is none of that name."""
    sentry_of(farm, node)
    found = next((each for each in records(farm, node) if each["name"] == name), None)
    if found is None:
        raise Refused("name", f"{node} has no ASIC {name}", 404)
    return found


def sentry_of(farm: Farm, node: str) -> Row:
    """The node, if it is one that watches ASICs."""
    row = farm["node"].get(node)
    if row is None:
        raise Refused("node", f"{node} does not exist", 404)
    if row["kind"] != KIND:
        raise Refused("node", f"{node} is of kind {row['kind']}; only a sentry of kind {KIND} watches ASICs", 409)
    return row


def sentries(farm: Farm) -> list[str]:
    """The nodes that watch ASICs, by name."""
    return sorted(row["id"] for row in list(farm["node"].values()) if row["kind"] == KIND)


def shown(farm: Farm, node: str) -> list[Row]:
    """Each ASIC with its record, what the sentry says of it, and its latest figures."""
    said = objects_in(farm["reported"].get((node, DOCUMENT)), DOCUMENT)
    found: list[Row] = []
    for each in records(farm, node):
        device = f"asic-{each['name']}"
        found.append(
            {**each, "device": device, "said": said.get(each["name"], {}), "figures": _latest(farm, node, device)}
        )
    return found


def watched(farm: Farm, node: str, device: str) -> Row | None:
    """The record of a device, and what its sentry says of it (`said`); None when it is not to be watched."""
    found = next((each for each in records(farm, node) if f"asic-{each['name']}" == device), None)
    said = objects_in(farm["reported"].get((node, DOCUMENT)), DOCUMENT)
    return found and {**found, "said": said.get(found["name"], {})}


def _latest(farm: Farm, node: str, device: str) -> Row:
    row = farm["latest"].get(hashed_id(node, device, "miner"))
    return {"ts": row["ts"], **row["data"]} if row else {}


def _save(farm: Farm, node: str, asics: Iterable[Row], moment: Moment, what: str, about: Row) -> Effects:
    data = {"asics": list(asics)}
    _check(data)
    effects = set_desired(farm, node, DOCUMENT, data, None, moment)
    if effects:
        effects.append(audit(moment, what, node, about))
    return effects


def _check(data: Any) -> None:
    try:
        check(ASICS, data)
        check_names(data["asics"])
    except Invalid as error:
        raise Refused(error.field, error.problem) from None
