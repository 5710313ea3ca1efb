"""Playbooks, templates and releases -> the document `playbooks` of one node, checked by schema/playbooks.py. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from commander.effects import Farm, Row
from commander.mining import playbooks, software, urls
from commander.mining.render import Unrenderable, render
from schema.message import Invalid, check
from schema.playbooks import PLAYBOOKS

TAKEN_OVER = ("gpus", "nice", "cpus", "huge_pages", "schedule", "watchdog", "grace_s")


class Problem(NamedTuple):
    """Why a node cannot have a playbook: `field` is of the playbook."""

    playbook: str
    field: str
    problem: str


def document(farm: Farm, node: Row) -> tuple[Row, list[Problem]]:
    """What a node shall mine, as the farm's records say now; with problems, what is left without those playbooks."""
    rows = [row for row in list(farm["playbook"].values()) if playbooks.targeted(farm, row["data"], node)]
    rows.sort(key=lambda row: (row["created"], row["name"]))  # a new one does not move the port of an older one
    ports, problems = _ports(farm, rows)
    miners: list[Row] = []
    for row in rows:
        try:
            miners.append(_miner(farm, node, row, ports[row["name"]]))
        except _Wrong as error:
            problems.append(Problem(row["name"], error.field, error.problem))
    data = {"miners": miners}
    if not problems:
        try:
            check(PLAYBOOKS, data)
        except Invalid as error:
            problems.append(Problem(", ".join(row["name"] for row in rows), error.field, error.problem))
    return data, problems


class _Wrong(ValueError):
    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


def _ports(farm: Farm, rows: list[Row]) -> tuple[dict[str, int], list[Problem]]:
    """API port of each playbook; 0: none. A port that a playbook names is its own; a usual one makes room."""
    found: dict[str, int] = {}
    problems: list[Problem] = []
    taken: dict[int, str] = {}
    for row in rows:
        port: int = row["data"]["api"].get("port", 0)
        if port in taken:
            problems.append(Problem(row["name"], "api.port", f"{port} is also that of playbook {taken[port]}"))
        if port:
            taken[port] = row["name"]
            found[row["name"]] = port
    for row in rows:
        if row["name"] not in found:
            usual = (software.known(farm, row["data"]["software"]) or {}).get("api_port", 0)
            port = next((port for port in range(usual, 65_536) if port not in taken), 0) if usual else 0
            found[row["name"]] = port
            if port:
                taken[port] = row["name"]
    return found, problems


def _miner(farm: Farm, node: Row, row: Row, port: int) -> Row:
    data = row["data"]
    about = software.known(farm, data["software"])
    if about is None:
        raise _Wrong("software", f"{data['software']} is unknown")
    programs = {each["platform"]: each["data"] for each in software.releases(farm, data["software"], data["release"])}
    if not programs:
        raise _Wrong("release", f"{data['software']} has no release {data['release']}")
    api = {"port": port, **({"token": data["api"]["token"]} if data["api"].get("token") else {})} if port else {}
    names = names_of(farm, node, row, api)
    found: Row = {
        **{"name": row["name"], "playbook": row["name"], "version": row["version"]},
        **{"software": data["software"], "release": data["release"], "programs": programs},
        **{"args": list(_arguments(data["arguments"], names)), "adapter": about["adapter"]},
        "algorithms": names["algorithms"],
    }
    env = {name: _rendered(f"environment.{name}", text, names) for name, text in data["environment"].items()}
    optional = {"env": env, "api": api, **{name: data.get(name) for name in TAKEN_OVER}}
    return found | {name: value for name, value in optional.items() if value not in (None, {}, [])}


def names_of(farm: Farm, node: Row, row: Row, api: Row) -> Row:
    """The names that placeholders may use: see docs/playbooks.md."""
    data, label = row["data"], farm["label"].get(node["id"]) or {"group": "", "tags": []}
    names: Row = {
        **{"worker": node["id"], "kind": data["kind"], "api": api},
        "node": {"id": node["id"], "domain": node["domain"], "group": label["group"], "tags": label["tags"]},
        "playbook": {"name": row["name"], "version": row["version"]},
    }
    mined = [_mined(farm, each, names, number) for number, each in enumerate(data["mine"])]
    for one, many in (("pool", "pools"), ("address", "addresses"), ("coin", "coins"), ("algorithm", "algorithms")):
        names[many] = [each[one] for each in mined]
        if mined[0][one]:
            names[one] = mined[0][one]
    for number, each in enumerate(mined):
        names[data["kind"] + ("" if number == 0 else str(number + 1))] = each
    return names


def _mined(farm: Farm, each: Row, names: Row, number: int) -> Row:
    """Address, coin, algorithm and pool ({} without one) of one entry of `mine`."""
    address = _template(farm, "address", each["address"], number)
    coin = {"name": address["coin"], **_template(farm, "coin", address["coin"], number)}
    found: Row = {"address": address["address"], "coin": coin, "algorithm": coin["algorithm"], "pool": {}}
    if "pool" not in each:
        return found
    pool = _template(farm, "pool", each["pool"], number)
    parsed = [urls.parse(url["url"]) for url in pool["urls"]]
    ways = [{"url": url.text, "host": url.host, "port": url.port, "tls": url.tls} for url in parsed]
    found["pool"] = {"name": each["pool"], "coin": coin, **ways[0], "urls": ways}
    given = {**names, **found}
    secret = {name: _rendered(f"mine[{number}].pool {name}", pool[name], given) for name in ("user", "password")}
    return {**found, "pool": {**found["pool"], **secret}}


def _arguments(arguments: list[Any], names: Mapping[str, Any]) -> Iterable[str]:
    """Each argument by itself; a list of them once for each URL of the (first) pool, which `pool` then is."""
    for number, argument in enumerate(arguments):
        field = f"arguments[{number}]"
        if isinstance(argument, str):
            yield _rendered(field, argument, names)
            continue
        pool: Row = names["pools"][0]
        if not pool:
            raise _Wrong(field, "is repeated for each URL of the pool, but no pool is given")
        for url in pool["urls"]:
            for text in argument:
                yield _rendered(field, text, {**names, "pool": {**pool, **url}})


def _rendered(field: str, text: str, names: Mapping[str, Any]) -> str:
    try:
        return render(text, names)
    except Unrenderable as error:
        raise _Wrong(field, f"{text[:60]!r}: {error}") from None


def _template(farm: Farm, kind: str, name: str, number: int) -> Row:
    row = farm["template"].get((kind, name))
    if row is None:
        raise _Wrong(f"mine[{number}].{kind}", f"there is no {kind} {name}")
    return row["data"]
