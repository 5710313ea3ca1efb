"""Coins, pools and addresses, which playbooks refer to by name. Pure.

coin     {algorithm}
pool     {coin, urls: [{url, tls}], user, password}: the first URL comes first; user and password may have placeholders
address  {coin, address}
"""

import re
from typing import Any

from commander.effects import Farm, Put, Refused, Row, refuse_unless
from commander.mining import urls
from commander.mining.records import refuse_unless_template, refuse_unlike
from schema.message import Message, is_id

KINDS = ("coin", "pool", "address")
USER = "{{ address }}.{{ worker }}"
MOST_URLS = 8
_ALGORITHM = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_.+-]{0,63}")
_ADDRESS = re.compile(r"[A-Za-z0-9_:.+/@-]{4,256}")


def _message(kind: str, *fields: tuple[str, str]) -> Message:
    return Message(kind, "", "down", 1, False, "object", tuple((name, is_a, "", "") for name, is_a in fields))


DECLARED = {
    "coin": _message("coin", ("algorithm", "text 64"), ("title?", "text 64")),
    "pool": _message("pool", ("coin", "id"), ("urls", "list json"), ("user?", "text 512"), ("password?", "text 512")),
    "address": _message("address", ("coin", "id"), ("address", "text 256")),
}
_URL = _message("url", ("url", "text 512"), ("tls?", "bool"))


def checked(farm: Farm, kind: str, name: str, data: Any) -> Row:
    """The record in its full form; Refused says which field is wrong and what is allowed."""
    if kind not in KINDS:
        raise Refused("kind", f"must be one of: {', '.join(KINDS)}")
    refuse_unless(is_id, "name", name)
    refuse_unlike(DECLARED[kind], data)
    if kind == "coin":
        if not _ALGORITHM.fullmatch(data["algorithm"]):
            raise Refused("algorithm", "must be letters, digits and / _ . + -, for example rx/0")
        return {"title": "", **data}
    if ("coin", data["coin"]) not in farm["template"]:
        known = ", ".join(sorted(row["name"] for row in list(farm["template"].values()) if row["kind"] == "coin"))
        raise Refused("coin", f"there is no coin {data['coin']}; known: {known or 'none'}")
    if kind == "address":
        if not _ADDRESS.fullmatch(data["address"]):
            raise Refused("address", "must be 4 to 256 letters, digits and _ : . + / @ -, without blanks")
        return data
    found: Row = {"user": USER, "password": "x", **data, "urls": [_url(n, url) for n, url in enumerate(data["urls"])]}
    if not 1 <= len(found["urls"]) <= MOST_URLS:
        raise Refused("urls", f"must be 1 to {MOST_URLS}")
    for field in ("user", "password"):
        refuse_unless_template(field, found[field])
    return found


def users_of(farm: Farm, kind: str, name: str) -> list[str]:
    """What refers to a template: playbooks by their names, for a coin also its pools and addresses."""
    found = [
        f"playbook {row['name']}"
        for row in list(farm["playbook"].values())
        if (kind, name) in mentioned(farm, row["data"])
    ]
    if kind == "coin":
        others = [row for row in list(farm["template"].values()) if row["data"].get("coin") == name]
        found += [f"{row['kind']} {row['name']}" for row in others]
    return sorted(found)


def mentioned(farm: Farm, playbook: Row) -> set[tuple[str, str]]:
    """(kind, name) of every template that a playbook uses, its coins among them."""
    found: set[tuple[str, str]] = set()
    for each in playbook["mine"]:
        for kind in ("pool", "address"):
            if each.get(kind):
                found.add((kind, each[kind]))
                row = farm["template"].get((kind, each[kind]))
                if row:
                    found.add(("coin", row["data"]["coin"]))
    return found


def removed(farm: Farm, kind: str, name: str) -> Put:
    """The template's removal; Refused while something uses it."""
    if (kind, name) not in farm["template"]:
        raise Refused("name", f"there is no {kind} {name}", 404)
    users = users_of(farm, kind, name) + _trials_of(farm, kind, name)
    if users:
        raise Refused("name", f"{kind} {name} is used by {', '.join(users)}", 409)
    return Put("template", (kind, name), None)


def shown(farm: Farm, row: Row, secrets: bool) -> Row:
    """A template as the API gives it; without `secrets`, a pool's password is masked."""
    data = row["data"]
    if "password" in data and not secrets:
        data = {**data, "password": "***"}
    return {**row, "data": data, "used_by": users_of(farm, row["kind"], row["name"])}


def _trials_of(farm: Farm, kind: str, name: str) -> list[str]:
    """Rollouts whose cancelling would put back a playbook that uses the template."""
    return [
        f"rollout {rollout['id']}"
        for rollout in list(farm["rollout"].values())
        if rollout["trial"]
        and any(
            each["table"] == "playbook" and each["before"] and (kind, name) in mentioned(farm, each["before"]["data"])
            for each in rollout["records"]
        )
    ]


def _url(number: int, given: Any) -> Row:
    if isinstance(given, str):
        given = {"url": given}
    refuse_unlike(_URL, given, f"urls[{number}]")
    try:
        url = urls.parse(given["url"], given.get("tls"))
    except ValueError as error:
        raise Refused(f"urls[{number}]", f"{given['url'][:80]!r}: {error}") from None
    return {"url": url.text, "tls": url.tls}
