"""Tokens, enrolment, and the credentials that brokers shall know. Pure."""

import base64
from hashlib import sha1
from typing import Any

from broker.passwords import hashed
from commander.effects import Effects, Farm, Moment, Put, Refused, Row, Send, audit, refuse_unless
from schema import fleet, tokens, wire
from schema.message import MAX_PAYLOAD, is_id
from schema.topics import Address

STEWARD = "steward-"
# A node's id is its MQTT user, so it may not be the name of another user.
RESERVED = (STEWARD, "bridge-", "t-", "enrol-")
RESERVED_NAMES = ("commander",)
KINDS = tuple(kind for kind in fleet.NODE_KINDS if kind != "steward")
ENVELOPE_BYTES = 512  # what signature, epoch, revision and id add to a signed message
SHARDS = "0123456789abcdef"


def text_of(raw: bytes) -> str:
    """Random bytes as URL-safe text without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def create_token(farm: Farm, wish: Row, moment: Moment) -> tuple[str, Row, Effects]:
    """A token for one node: (the string to hand over, its row, effects).

    wish: domain, kind, name (node id, may be empty), ttl_s, fingerprint (of the farm's CA, may be empty).
    """
    if wish["domain"] not in farm["door"]:
        raise Refused("domain", f"{wish['domain']} is not in farm.toml; allowed: {', '.join(sorted(farm['door']))}")
    if wish["kind"] not in KINDS:
        raise Refused("kind", f"must be one of: {', '.join(KINDS)}")
    if not 10 <= wish["ttl_s"] <= 30 * 86_400:
        raise Refused("ttl_s", "must be from 10 seconds to 30 days")
    name = wish["name"]
    if name:
        _free_name(farm, name)
    token_id = "t-" + moment.dice(6).hex()
    secret = text_of(moment.dice(32))
    row: Row = {
        "id": token_id,
        "domain": wish["domain"],
        "kind": wish["kind"],
        "name": name,
        "secret_hash": hashed(secret, moment.dice(12)),
        "created": moment.now,
        "expires": moment.now + wish["ttl_s"] * 1000,
        "used": 0,
        "node": "",
        "by": moment.by,
    }
    effects: Effects = [Put("token", token_id, row), *credentials(farm, wish["domain"], moment, {token_id: row}, {})]
    effects.append(
        audit(moment, "token created", token_id, {"domain": wish["domain"], "kind": wish["kind"], "name": name})
    )
    return tokens.build(wish["domain"], token_id, secret, wish["fingerprint"]), row, effects


def revoke_token(farm: Farm, token_id: str, moment: Moment) -> Effects:
    """Make a token worthless at once."""
    row = farm["token"].get(token_id)
    if row is None:
        raise Refused("id", f"there is no token {token_id}", 404)
    ended = {**row, "expires": min(row["expires"], moment.now - 1)}
    return [
        Put("token", token_id, ended),
        *credentials(farm, row["domain"], moment, {token_id: ended}, {}),
        audit(moment, "token revoked", token_id, {"domain": row["domain"]}),
    ]


def new_node(node_id: str, domain: str, kind: str, now: int) -> Row:
    """The row of a node that has no credential yet and has never been seen."""
    return {
        **{"id": node_id, "domain": domain, "kind": kind, "created": now, "state": "", "state_at": 0},
        **{"shown": "new", "boot": "", "alive_ms": 0, "parts": {}, "info": {}, "password_hash": ""},
        **{"sign": "ed25519", "key": "", "role": "node", "grants": [], "token": "", "nonce": ""},
    }


def on_enrol(farm: Farm, at: Address, data: Row, moment: Moment) -> Effects:
    """A node redeems its token ({at.node}); the answer carries its credential, or the reason why not."""
    token = farm["token"].get(at.node)
    problem = _why_not(farm, token, at, data, moment.now)
    if token is None or problem:
        name = "token-refused"
        text = f"token {at.node} refused: {problem}"
        key = (STEWARD + at.domain, at.node, name)
        row = {
            "node": key[0],
            "device": at.node,
            "name": name,
            "since": moment.now,
            "severity": "warning",
            "text": text,
        }
        return [
            Put("alert", key, {**row, "source": "commander"}),
            audit(moment, "token refused", at.node, {"problem": problem}),
            _answer(at, {"nonce": data["nonce"], "error": problem}),
        ]
    node_id = token["node"] or token["name"] or data.get("name") or f"{data['kind']}-{moment.dice(4).hex()}"
    password = text_of(moment.dice(24))
    key = base64.b64encode(moment.dice(32)).decode() if data["sign"] == "hmac" else ""
    node = new_node(node_id, at.domain, token["kind"], moment.now) | {
        "info": {"software": data["software"], "hardware": data.get("hardware", "")},
        "password_hash": hashed(password, moment.dice(12)),
        "sign": data["sign"],
        "key": key,
        "token": at.node,
        "nonce": data["nonce"],
    }
    used = {**token, "used": moment.now, "node": node_id}
    answer = {"nonce": data["nonce"], "node": node_id, "password": password}
    documents = credentials(farm, at.domain, moment, {at.node: used}, {node_id: node})
    wanted = (STEWARD + at.domain, document_of(node_id))
    known = {put.key: put.row["rev"] for put in documents if isinstance(put, Put) and put.row}
    revision: int = known[wanted] if wanted in known else farm["desired"][wanted]["rev"]
    return [
        Put("node", node_id, node),
        Put("token", at.node, used),
        *documents,
        audit(moment, "node enrolled", node_id, {"token": at.node, "kind": token["kind"]}),
        # The node logs in as soon as it has this: not before its broker knows the credential.
        _answer(at, answer | ({"verify": key} if key else {}))._replace(after=(*wanted, revision)),
    ]


def _why_not(farm: Farm, token: Row | None, at: Address, data: Row, now: int) -> str:
    if token is None:
        return "token: unknown"
    if token["domain"] != at.domain:
        return f"token: is for domain {token['domain']}"
    if now > token["expires"]:
        return "token: expired"
    if token["kind"] != data["kind"]:
        return f"kind: the token is for {token['kind']}"
    if token["used"]:
        node = farm["node"].get(token["node"])
        # The answer may have been lost: the same request is answered anew until the node has shown itself.
        if node is None or node["nonce"] != data["nonce"] or node["boot"]:
            return "token: was used before"
        return ""
    name = token["name"] or data.get("name")
    return f"name: {_not_free(farm, name)}" if name and _not_free(farm, name) else ""


def _answer(at: Address, data: Row) -> Send:
    return Send(fleet.ENROL_RES, at.domain, at.node, data, durable=False)


def _free_name(farm: Farm, name: str) -> None:
    refuse_unless(is_id, "name", name)
    problem = _not_free(farm, name)
    if problem:
        raise Refused("name", problem, 409)


def _not_free(farm: Farm, name: str) -> str:
    if name.startswith(RESERVED) or name in RESERVED_NAMES:
        return f"{name} is reserved; names must not begin with {', '.join(RESERVED)}"
    return f"a node {name} exists already" if name in farm["node"] else ""


def check_size(field: str, data: Any) -> None:
    """Refused when a signed message could not hold `data`: it travels as JSON text inside JSON."""
    size = len(wire.dumps(wire.dumps(data).decode())) + ENVELOPE_BYTES
    if size > MAX_PAYLOAD:
        raise Refused(field, f"makes a message of {size} bytes; at most {MAX_PAYLOAD}")


def shard_of(user: str) -> str:
    """Credentials travel in 16 documents, so that one message holds them on a farm of thousands too."""
    return sha1(user.encode(), usedforsecurity=False).hexdigest()[0]


def document_of(user: str) -> str:
    """The credentials document that names a user."""
    return f"credentials-{shard_of(user)}"


def credentials(
    farm: Farm, domain: str, moment: Moment, tokens_now: dict[str, Row], nodes_now: dict[str, Row | None]
) -> Effects:
    """New credential documents for the shards that the given users fall into (they override what the farm holds)."""
    effects: Effects = []
    all_tokens = {**farm["token"], **tokens_now}
    all_nodes: dict[str, Any] = {**farm["node"], **nodes_now}
    for shard in sorted({shard_of(user) for user in (*tokens_now, *nodes_now)}):
        users: list[Row] = [
            {"user": token["id"], "hash": token["secret_hash"], "role": "token", "grants": []}
            for token in all_tokens.values()
            if token["domain"] == domain and token["expires"] >= moment.now and shard_of(token["id"]) == shard
        ]
        users += [
            {"user": node["id"], "hash": node["password_hash"], "role": node["role"], "grants": node["grants"]}
            for node in all_nodes.values()
            if node and node["domain"] == domain and node["password_hash"] and shard_of(node["id"]) == shard
        ]
        effects += desire(farm, STEWARD + domain, f"credentials-{shard}", {"users": users}, moment)
    return effects


def desire(farm: Farm, node_id: str, document: str, data: Any, moment: Moment, again: bool = False) -> Effects:
    """Set a desired document: a new revision in the farm, sealed and sent to the node; unless it is that already."""
    node = farm["node"].get(node_id)
    if node is None:
        raise Refused("node", f"{node_id} does not exist", 404)
    old = farm["desired"].get((node_id, document))
    if old is not None and old["data"] == data and not again:
        return []
    check_size("data", data)
    rev = old["rev"] + 1 if old else 1
    row = {"node": node_id, "doc": document, "rev": rev, "data": data, "updated": moment.now, "by": moment.by}
    return [Put("desired", (node_id, document), row), desired_message(farm, row, node["domain"])]


def desired_message(farm: Farm, row: Row, domain: str) -> Send:
    """The message of a desired document as it stands (the flow adds the epoch and the seal)."""
    return Send(fleet.DESIRED, domain, row["node"], {"rev": row["rev"], "data": row["data"]}, name=row["doc"])


def expire_tokens(farm: Farm, moment: Moment) -> Effects:
    """Take expired tokens out of the brokers, and out of the farm after a day."""
    effects: Effects = []
    for token in farm["token"].values():
        if moment.now > token["expires"] + 86_400_000:
            effects.append(Put("token", token["id"], None))
        elif token["expires"] < moment.now <= token["expires"] + 5_000:
            effects += credentials(farm, token["domain"], moment, {token["id"]: token}, {})
    return effects
