"""What fleet shows. Lists of nodes and latest values come from the projection, history from SELECTs. Times are ms
since 1970.
"""

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import Connection, Table, select

from commander.effects import Farm, Row
from commander.fleet import tables
from commander.fleet.hashes import hashed_id
from commander.fleet.presence import listening_since, presence

MINUTE, HOUR = 60_000, 3_600_000
MOST_SERIES = 10_000
SECRET = ("args", "env", "api")  # of a miner: see schema/playbooks.py
HIDDEN = ("password_hash", "key", "nonce", "shown", "parts", "info")


def node_row(farm: Farm, node: Row, now: int, latest: Iterable[Row]) -> Row:
    """One node as lists show it: identity, presence, and its latest values by device and part."""
    heard = farm["heard"].get(node["id"])
    values: dict[str, dict[str, Row]] = {}
    for row in latest:
        values.setdefault(row["device"], {})[row["part"]] = {"ts": row["ts"], **row["data"]}
    return {
        "id": node["id"],
        "domain": node["domain"],
        "kind": node["kind"],
        "presence": presence(farm, node, now),
        "state": node["state"],
        "heard": heard["ts"] if heard else None,
        "software": node["info"].get("software", ""),
        "latest": values,
    }


def node_list(
    farm: Farm, now: int, where: dict[str, str], limit: int, offset: int, heard: tuple[int, int] | None = None
) -> dict[str, Any]:
    """A page of the nodes whose domain, kind and presence are as `where` says, by id: {"items", "total", "next"}."""
    fixed = {name: value for name, value in where.items() if name != "presence"}
    found = [node for node in list(farm["node"].values()) if all(node[name] == value for name, value in fixed.items())]
    if heard is not None:
        times = {row["node"]: row["ts"] for row in list(farm["heard"].values())}
        found = [node for node in found if heard[0] <= times.get(node["id"], -1) < heard[1]]
    if "presence" in where:
        found = [node for node in found if presence(farm, node, now) == where["presence"]]
    found.sort(key=lambda node: str(node["id"]))
    shown = {node["id"]: node for node in found[offset : offset + limit]}
    latest: dict[str, list[Row]] = {node_id: [] for node_id in shown}
    for row in list(farm["latest"].values()):
        if row["node"] in latest:
            latest[row["node"]].append(row)
    end = offset + limit
    return {
        "items": [node_row(farm, node, now, latest[node_id]) for node_id, node in shown.items()],
        "total": len(found),
        "next": end if end < len(found) else None,
    }


def node_detail(farm: Farm, node: Row, now: int, secrets: bool) -> Row:
    """All about one node; `secrets`: those of its miners too."""
    mine = [row for row in list(farm["latest"].values()) if row["node"] == node["id"]]
    return {
        **node_row(farm, node, now, mine),
        **{name: value for name, value in node.items() if name not in HIDDEN},
        "info": node["info"],
        "parts": node["parts"],
        "streams": [row for row in list(farm["stream"].values()) if row["node"] == node["id"]],
        "alerts": [row for row in list(farm["alert"].values()) if row["node"] == node["id"]],
        "desired": documents(farm, "desired", node["id"], secrets),
        "reported": documents(farm, "reported", node["id"], secrets),
    }


def documents(farm: Farm, table: str, node_id: str | None, secrets: bool) -> list[Row]:
    """The desired or reported documents of a node, or of all. A steward's credentials are hashes, but nobody needs
    to read them; what miners are started with holds the passwords of pools.
    """
    rows = [row for row in list(farm[table].values()) if node_id in (None, row["node"])]
    return [_masked(row, secrets) for row in rows]


def _masked(row: Row, secrets: bool) -> Row:
    if str(row["doc"]).startswith("credentials"):
        return {**row, "data": None}
    if row["doc"] != "playbooks" or secrets:
        return row
    return {**row, "data": without_secrets(row["data"])}


def without_secrets(document: Any) -> Any:
    """A document `playbooks` without what its miners are started with; what is none has nothing to show."""
    given = cast("Row", document).get("miners") if isinstance(document, dict) else None
    if isinstance(given, dict):
        return cast("Row", document)  # what a node reports of them
    if not isinstance(given, list):
        return None
    miners = [cast("Row", miner) for miner in cast("list[Any]", given) if isinstance(miner, dict)]
    return {"miners": [{name: value for name, value in miner.items() if name not in SECRET} for miner in miners]}


def devices(farm: Farm) -> list[Row]:
    """Every device that has sent telemetry: node, device, time of the newest, parts with time and values."""
    found: dict[tuple[str, str], Row] = {}
    for row in list(farm["latest"].values()):
        entry = found.setdefault(
            (row["node"], row["device"]), {"node": row["node"], "device": row["device"], "ts": 0, "parts": {}}
        )
        entry["ts"] = max(entry["ts"], row["ts"])
        entry["parts"][row["part"]] = {"ts": row["ts"], **row["data"]}
    return [found[key] for key in sorted(found)]


def domains(farm: Farm, now: int) -> list[Row]:
    """Each domain: whether the commander hears it, since when, by which links, and how many nodes are in which
    presence.
    """
    rows: dict[str, Row] = {}
    for name, door in farm["door"].items():
        links = [{"name": link, **_link(farm, link)} for link in door["links"]]
        since = listening_since(farm, name)
        rows[name] = {
            "name": name,
            "home": door["home"],
            "up": since is not None,
            "since": since,
            "links": links,
            "nodes": {},
        }
    for node in list(farm["node"].values()):
        row = rows.get(node["domain"])
        if row is not None:
            word = presence(farm, node, now)
            row["nodes"][word] = row["nodes"].get(word, 0) + 1
    return [rows[name] for name in sorted(rows)]


def _link(farm: Farm, name: str) -> Row:
    row = farm["link"].get(name)
    return {"up": bool(row and row["up"]), "since": row["since"] if row else None}


def tokens(farm: Farm, now: int) -> list[Row]:
    """All tokens without their secrets, newest first."""
    rows: list[Row] = []
    for token in sorted(list(farm["token"].values()), key=lambda row: -row["created"]):
        state = "used" if token["used"] else "expired" if now > token["expires"] else "open"
        rows.append({"state": state, **{k: v for k, v in token.items() if k != "secret_hash"}})
    return rows


def history(
    connection: Connection,
    table: Table,
    where: dict[str, Any],
    since: int,
    until: int,
    limit: int,
    before: int | None,
    after: int | None = None,
) -> list[Row]:
    """Rows of a history table, newest first: since <= ts < until, columns equal to `where`, id below `before` when
    given. With `after`: as they came, ids above it, of whatever time, since senders' clocks differ.
    """
    query = select(table).where(*(table.c[name] == value for name, value in where.items())).limit(limit)
    if after is not None:
        query = query.where(table.c.id > after).order_by(table.c.id)
    else:
        query = query.where(table.c.ts >= since, table.c.ts < until).order_by(table.c.id.desc())
        query = query if before is None else query.where(table.c.id < before)
    return [dict(row) for row in connection.execute(query).mappings()]


def raw_rows(
    connection: Connection,
    farm: Farm,
    wanted: tuple[str | None, str | None, str | None],
    since: int,
    until: int,
    limit: int,
    before: int | None,
) -> list[Row]:
    """Raw telemetry, newest first; `wanted`: node, device, part, each None for all."""
    t = tables.telemetry
    known = {row["series"]: row for row in list(farm["latest"].values())}
    query = select(t).where(t.c.ts >= since, t.c.ts < until)
    if any(wanted):
        fits = [
            series
            for series, row in known.items()
            if all(w in (None, row[c]) for w, c in zip(wanted, ("node", "device", "part"), strict=True))
        ]
        query = query.where(t.c.series.in_(fits[:MOST_SERIES]))
    if before is not None:
        query = query.where(t.c.id < before)
    rows: list[Row] = []
    for row in connection.execute(query.order_by(t.c.id.desc()).limit(limit)).mappings():
        of = known.get(row["series"], {"node": None, "device": None, "part": None})
        named = {name: of[name] for name in ("node", "device", "part")}
        rows.append({"id": row["id"], **named, "ts": row["ts"], "received": row["received"], "values": row["data"]})
    return rows


def step_for(since: int, until: int) -> str:
    """The resolution that gives a plot a readable number of points."""
    span = until - since
    return "raw" if span <= HOUR else "minute" if span <= 48 * HOUR else "hour"


def samples(connection: Connection, node: str, device: str, part: str, since: int, until: int, limit: int) -> list[Row]:
    """Raw telemetry of one part, oldest first: [{"ts", "values": {field: value}}]; the newest `limit` of the range."""
    t = tables.telemetry
    series = hashed_id(node, device, part)
    query = select(t.c.ts, t.c.data).where(t.c.series == series, t.c.ts >= since, t.c.ts < until)
    rows = connection.execute(query.order_by(t.c.ts.desc()).limit(limit)).all()
    return [{"ts": ts, "values": data} for ts, data in reversed(rows)]


def figures(
    connection: Connection, node: str, device: str, part: str, step: str, since: int, until: int, limit: int
) -> list[Row]:
    """Down-sampled telemetry, oldest first: [{"ts", "values": {field: {"count", "min", "mean", "max"}}}]."""
    r = tables.rollup
    series, ms = hashed_id(node, device, part), MINUTE if step == "minute" else HOUR
    query = select(r.c.ts, r.c.data).where(r.c.series == series, r.c.step == ms, r.c.ts >= since - ms, r.c.ts < until)
    rows = connection.execute(query.order_by(r.c.ts.desc()).limit(limit)).all()
    names = ("count", "min", "mean", "max")
    return [
        {"ts": ts, "values": {field: dict(zip(names, four, strict=True)) for field, four in data.items()}}
        for ts, data in reversed(rows)
    ]
