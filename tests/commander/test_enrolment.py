"""Tokens, enrolment, credentials, and what people may ask for."""

import base64
from typing import Any

import pytest

from broker.passwords import hashed
from broker.users import from_document
from commander.effects import Effects, Put, Refused, Row, Send
from commander.fleet import enrolment, orders
from commander.projection import Projection
from schema import fleet, tokens
from schema.topics import Address
from tests.commander.line import NOW, Line, applied, moment, node_row, puts, sends, small_farm

WISH = {"domain": "house", "kind": "esp", "name": "", "ttl_s": 600, "fingerprint": ""}
ASK: Row = {"nonce": "n-1", "kind": "esp", "software": "farmhand", "sign": "hmac"}


def users_of(farm: Projection, domain: str) -> dict[str, Any]:
    """All users that the steward of a domain was told, as it reads them."""
    rows = [
        row
        for (node, doc), row in farm["desired"].items()
        if node == f"steward-{domain}" and doc.startswith("credentials")
    ]
    return {user.user: user for row in rows for user in from_document(row["data"])}


class Enrolling:
    """A farm with one token."""

    def __init__(self, **wish: Any) -> None:
        self.text, self.token, effects = enrolment.create_token(small_farm(), {**WISH, **wish}, moment(by="admin"))
        self.farm = applied(small_farm(), effects)

    def ask(self, now: int = NOW, domain: str = "house", **change: Any) -> tuple[Row, Effects]:
        at = Address("enrol/req", domain, self.token["id"])
        effects = enrolment.on_enrol(self.farm, at, {**ASK, **change}, moment(now))
        assert effects == enrolment.on_enrol(self.farm, at, {**ASK, **change}, moment(now)), "a rule must be pure"
        (answer,) = (send.data for send in sends(effects) if send.message is fleet.ENROL_RES)
        self.farm = applied(self.farm, effects)
        return answer, effects

    def users(self, domain: str = "house") -> dict[str, Any]:
        return users_of(self.farm, domain)


def test_a_token_says_where_it_is_for() -> None:
    enrolling = Enrolling()
    domain, token_id, secret, _ = tokens.parse(enrolling.text)
    assert (domain, token_id) == ("house", enrolling.token["id"])
    user = enrolling.users()[token_id]
    assert user.role == "token"
    assert secret not in str(enrolling.farm)
    assert user.hash == enrolling.token["secret_hash"]


def test_a_token_becomes_a_node() -> None:
    enrolling = Enrolling(name="esp-1")
    answer, effects = enrolling.ask()
    assert answer["node"] == "esp-1"
    assert len(answer["verify"]) == 44
    node = enrolling.farm["node"]["esp-1"]
    assert (node["domain"], node["kind"], node["role"]) == ("house", "esp", "node")
    assert answer["password"] not in str([e for e in effects if isinstance(e, Put) and e.table != "node"])
    assert answer["password"] not in str({**node, "key": ""})
    assert enrolling.users()["esp-1"].hash == node["password_hash"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "board"}, "kind: the token is for esp"),
        ({"now": NOW + 600_001}, "token: expired"),
        ({"domain": "barn"}, "token: is for domain house"),
        ({"name": "rig-1"}, "name: a node rig-1 exists already"),
        ({"name": "commander"}, "name: commander is reserved"),
        ({"name": "steward-attic"}, "name: steward-attic is reserved"),
        ({"name": "bridge-barn-house"}, "name: bridge-barn-house is reserved"),
        ({"name": "t-000000"}, "name: t-000000 is reserved"),
    ],
)
def test_refused_with_a_reason_and_an_alert(change: dict[str, Any], problem: str) -> None:
    enrolling = Enrolling()
    answer, effects = enrolling.ask(**change)
    assert answer["error"].startswith(problem)
    assert not puts(effects, "node")
    (alert,) = puts(effects, "alert")
    assert alert is not None
    assert problem in alert["text"]


def test_a_second_use_fails_and_the_same_request_is_answered_again() -> None:
    enrolling = Enrolling()
    first, _ = enrolling.ask()
    again, _ = enrolling.ask(now=NOW + 5)
    assert again["node"] == first["node"], "the answer may have been lost"
    other, effects = enrolling.ask(nonce="n-2")
    assert other["error"] == "token: was used before"
    assert puts(effects, "alert")
    born = enrolling.farm["node"][first["node"]]
    enrolling.farm.apply(Put("node", born["id"], {**born, "boot": "b1"}))
    late, _ = enrolling.ask(now=NOW + 9)
    assert late["error"] == "token: was used before", "it has been seen with its credential"
    enrolling.farm.apply(Put("node", born["id"], None))
    removed, _ = enrolling.ask(now=NOW + 9)
    assert removed["error"] == "token: was used before"


def test_an_unknown_token_is_refused() -> None:
    enrolling = Enrolling()
    enrolling.farm.apply(Put("token", enrolling.token["id"], None))
    assert enrolling.ask()[0]["error"] == "token: unknown"


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"domain": "attic"}, "domain"),
        ({"kind": "tractor"}, "kind"),
        ({"kind": "steward"}, "kind"),
        ({"ttl_s": 9}, "ttl_s"),
        ({"ttl_s": 10**9}, "ttl_s"),
        ({"name": "Rig"}, "name"),
        ({"name": "rig-1"}, "name"),
        ({"name": "steward-x"}, "name"),
    ],
)
def test_tokens_that_are_not_made(wish: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        enrolment.create_token(small_farm(), {**WISH, **wish}, moment())
    assert refused.value.field == field


def test_expired_tokens_leave_the_broker_and_later_the_farm() -> None:
    enrolling = Enrolling()
    token = enrolling.token["id"]
    assert token in enrolling.users()
    enrolling.farm = applied(enrolling.farm, enrolment.expire_tokens(enrolling.farm, moment(NOW + 600_001)))
    assert token not in enrolling.users()
    enrolling.farm = applied(enrolling.farm, enrolment.expire_tokens(enrolling.farm, moment(NOW + 90_000_000)))
    assert token not in enrolling.farm["token"]


def test_credentials_are_of_their_domain_and_the_same_data_is_no_new_revision() -> None:
    farm = small_farm()
    for domain, expected in (("house", {"rig-1"}), ("barn", {"rig-2"})):
        nodes = {name: farm["node"][name] for name in ("rig-1", "rig-2")}
        farm = applied(farm, enrolment.credentials(farm, domain, moment(), {}, nodes))
        assert set(users_of(farm, domain)) == expected
        assert not enrolment.credentials(farm, domain, moment(), {}, nodes)
    assert {row["rev"] for row in farm["desired"].values()} == {1}


def test_five_thousand_nodes_of_one_domain_fit_their_documents() -> None:
    farm = small_farm()
    for number in range(5_000):
        name = f"cpu-gpu-{number:08x}"
        farm["node"][name] = node_row(name, password_hash=farm["node"]["rig-1"]["password_hash"])
    effects = enrolment.credentials(farm, "house", moment(), {}, dict(farm["node"]))
    assert len(users_of(applied(farm, effects), "house")) == 5_001


def test_a_removed_node_loses_its_credential_and_its_topics() -> None:
    farm = small_farm()
    farm.apply(Put("reported", ("rig-1", "a"), {"node": "rig-1", "doc": "a"}))
    effects = orders.remove_node(farm, "rig-1", moment())
    assert effects == orders.remove_node(farm, "rig-1", moment())
    farm = applied(farm, effects)
    assert not users_of(farm, "house")
    assert farm["desired"]["steward-house", "purge"]["data"] == {"nodes": ["rig-1"]}
    assert not farm["reported"]
    assert "rig-1" not in farm["node"]
    with pytest.raises(Refused, match="steward"):
        orders.remove_node(farm, "steward-house", moment())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"node_id": "ghost"}, "node"),
        ({"node_id": "No Node"}, "node"),
        ({"name": "a/b"}, "name"),
        ({"args": [1]}, "args"),
        ({"args": {"a": "\x00"}}, "args"),
        ({"args": {"a": 2**64}}, "args"),
        ({"args": {"a": "x" * 262_000}}, "args"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": 3601}, "timeout_s"),
    ],
)
def test_commands_that_are_not_sent(change: dict[str, Any], field: str) -> None:
    wish: dict[str, Any] = {
        "node_id": "rig-1",
        "name": "ping",
        "args": {},
        "timeout_s": 5,
        **change,
    }
    with pytest.raises(Refused) as refused:
        orders.command(small_farm(), **wish, moment=moment())
    assert refused.value.field == field


def test_a_command_names_the_boot_it_is_for() -> None:
    row, effects = orders.command(small_farm(), "rig-1", "ping", {"a": 1}, 5, moment(by="me"))
    (send,) = sends(effects)
    assert send.data == {"id": row["id"], "exp": NOW + 5_000, "args": {"a": 1}, "boot": "b1"}
    assert (row["status"], row["by"]) == ("sent", "me")


def test_documents_and_their_revisions() -> None:
    farm: Projection = small_farm()
    farm = applied(farm, orders.set_desired(farm, "rig-1", "settings", {"a": 1}, 0, moment()))
    assert not orders.set_desired(farm, "rig-1", "settings", {"a": 1}, None, moment())
    with pytest.raises(Refused, match="rev: the farm has revision 1, not 0"):
        orders.set_desired(farm, "rig-1", "settings", {"a": 2}, 0, moment())
    farm = applied(farm, orders.set_desired(farm, "rig-1", "settings", {"a": 2}, 1, moment()))
    assert farm["desired"]["rig-1", "settings"]["rev"] == 2
    for node, document, field in (
        ("steward-house", "credentials", "document"),
        ("rig-1", "a b", "document"),
        ("x", "a", "node"),
    ):
        with pytest.raises(Refused) as refused:
            orders.set_desired(farm, node, document, {}, None, moment())
        assert refused.value.field == field


def test_the_password_given_is_the_one_whose_hash_is_kept() -> None:
    enrolling = Enrolling()
    answer, _ = enrolling.ask()
    kept = enrolling.farm["node"][answer["node"]]["password_hash"]
    assert hashed(answer["password"], base64.b64decode(kept.split("$")[3])) == kept


def test_names_are_free_again_after_removal() -> None:
    farm = small_farm()
    farm.apply(Put("node", "esp-7", node_row("esp-7")))
    farm = applied(farm, orders.remove_node(farm, "esp-7", moment()))
    assert enrolment.create_token(farm, {**WISH, "name": "esp-7"}, moment())[1]["name"] == "esp-7"


def test_the_answer_waits_until_the_broker_knows_the_credential(line: Line) -> None:
    outbox = line.outbox
    waiting = Send(fleet.ENROL_RES, "barn", "t-1", {"nonce": "n", "error": "x"}, durable=False)
    waiting = waiting._replace(after=("steward-barn", "credentials-0", 2))
    assert outbox.seal([waiting], 1, NOW).messages == []
    reported = {"rev": 1, "status": "applied"}
    line.farm["reported"]["steward-barn", "credentials-0"] = reported
    assert outbox.seal([], 1, NOW + 10).messages == []
    line.farm["reported"]["steward-barn", "credentials-0"] = {**reported, "rev": 2}
    assert [topic for topic, *_ in outbox.seal([], 1, NOW + 20).messages] == ["farm/_/enrol/barn/t-1/res"]
    assert outbox.seal([], 1, NOW + 30).messages == []


def test_the_answer_does_not_wait_for_ever(line: Line) -> None:
    waiting = Send(fleet.ENROL_RES, "barn", "t-1", {"nonce": "n", "error": "x"}, durable=False)
    line.outbox.seal([waiting._replace(after=("steward-barn", "credentials-0", 2))], 1, NOW)
    assert len(line.outbox.seal([], 1, NOW + 6_000).messages) == 1
