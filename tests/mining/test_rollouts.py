"""A change on its way to the nodes: all at once, or a canary group first."""

from typing import Any

import pytest

from commander.effects import Put, Refused
from commander.fleet.enrolment import create_token
from commander.fleet.orders import remove_node
from commander.mining import changes, rollouts
from commander.mining.newcomers import Newcomers
from tests.mining.playbook_farm import Records, playbook

POOL = {"coin": "monero", "urls": ["c.example:3"]}


@pytest.fixture
def records() -> Records:
    """All three rigs run version 1 of `cpu`; rig-1 is in the group `try`."""
    records = Records().furnished()
    records.save("cpu", arguments=["{{ pool.url }}", "1"])
    for node in ("rig-1", "rig-2", "rig-3"):
        records.report(node)
    return records


def url_and_number(records: Records, node: str) -> list[str]:
    return [argument for miner in records.miners(node) for argument in miner["args"]]


def refused(records: Records, what: Any, *arguments: Any) -> Refused:
    with pytest.raises(Refused) as error:
        records.ask(what, *arguments)
    return error.value


def test_progress_by_what_the_nodes_report(records: Records) -> None:
    rollout = records.save("cpu", arguments=["2"])["rollout"]["id"]
    assert records.state(rollout) == "running"
    records.report("rig-1", "pending", data={"miners": {"cpu": {"state": "installing", "pct": 10}}})
    shown = rollouts.shown(records.farm, records.farm["rollout"][rollout], nodes=True)
    assert {row["node"]: row["step"] for row in shown["nodes"]}["rig-1"]["miners"]["cpu"]["pct"] == 10
    records.report("rig-1")
    records.report("rig-2", "failed", error="miner cpu: no hash rate")
    assert records.state(rollout) == "running"
    records.report("rig-3")
    assert records.state(rollout) == "failed"
    shown = rollouts.shown(records.farm, records.farm["rollout"][rollout], nodes=True)
    assert (shown["nodes"][0]["node"], shown["nodes"][0]["error"]) == ("rig-2", "miner cpu: no hash rate")
    assert shown["counts"] == {"applied": 2, "failed": 1}
    records.report("rig-2")
    assert records.state(rollout) == "done", "it has come to it after all"


def test_one_template_is_one_rollout_of_those_it_concerns(records: Records) -> None:
    records.save("other", mine=[{"address": "cold"}], arguments=["x"], targets={"nodes": ["rig-3"]})
    records.save("cpu", arguments=["{{ pool.url }}"], targets={"nodes": ["rig-1", "rig-2"]})
    answer = records.ask(changes.save_template, "pool", "nano", POOL, None, "")
    assert records.sent == ["rig-1", "rig-2"]
    assert (answer["rollout"]["counts"], answer["rollout"]["money"]) == ({"pending": 2}, True)
    assert records.audit[-1]["data"]["before"]["urls"] != records.audit[-1]["data"]["after"]["urls"]
    assert records.audit[-1]["data"]["rollout"] == answer["rollout"]["id"]
    answer = records.ask(changes.save_template, "pool", "nano", {**POOL, "password": "new"}, None, "")
    assert (records.sent, answer["rollout"]) == ([], None), "no document differs"


def test_a_newer_document_ends_the_wait_of_an_older_rollout(records: Records) -> None:
    first = records.save("cpu", arguments=["2"])["rollout"]["id"]
    records.report("rig-1")
    second = records.save("cpu", arguments=["3"])["rollout"]["id"]
    assert records.states(first) == {"rig-1": "applied", "rig-2": "superseded", "rig-3": "superseded"}
    assert (records.state(first), records.state(second)) == ("done", "running")


def test_canary_then_continue(records: Records) -> None:
    rollout = records.save("cpu", "try", arguments=["{{ pool.url }}", "2"])["rollout"]
    assert records.sent == ["rig-1"]
    assert (rollout["counts"], rollout["trial"]) == ({"pending": 1, "held": 2}, True)
    records.report("rig-1")
    assert records.state(rollout["id"]) == "waiting"
    assert url_and_number(records, "rig-2")[1] == "1"
    records.ask(changes.continue_rollout, rollout["id"], False)
    assert records.sent == ["rig-2", "rig-3"]
    assert [url_and_number(records, node)[1] for node in ("rig-1", "rig-2", "rig-3")] == ["2", "2", "2"]
    assert records.state(rollout["id"]) == "running"
    records.report("rig-2")
    records.report("rig-3")
    assert records.state(rollout["id"]) == "done"
    assert refused(records, changes.continue_rollout, rollout["id"], True).status == 409
    assert refused(records, changes.cancel_rollout, rollout["id"]).status == 409


def test_canary_then_cancel_puts_back_what_was(records: Records) -> None:
    before = {node: url_and_number(records, node) for node in ("rig-1", "rig-2")}
    rollout = records.save("cpu", "try", arguments=["{{ pool.url }}", "2"])["rollout"]["id"]
    records.report("rig-1")
    answer = records.ask(changes.cancel_rollout, rollout)
    assert records.sent == ["rig-1"]
    assert {node: url_and_number(records, node) for node in before} == before
    assert records.states(rollout) == {"rig-1": "applied", "rig-2": "cancelled", "rig-3": "cancelled"}
    assert (records.state(rollout), answer["rollout"]["counts"]) == ("cancelled", {"pending": 1})
    row = records.farm["playbook"]["cpu"]
    assert (row["version"], row["data"]["arguments"][1]) == (1, "1")
    assert records.audit[-1]["what"] == "rollout cancelled"
    assert records.save("cpu", nice=1)["playbook"]["version"] == 3, "2 is that of the trial, for ever"


def test_cancel_takes_back_what_was_new_or_removed(records: Records) -> None:
    new = records.save("extra", "try", mine=[{"address": "cold"}], arguments=["x"])["rollout"]["id"]
    assert [miner["name"] for miner in records.miners("rig-1")] == ["cpu", "extra"]
    records.ask(changes.cancel_rollout, new)
    assert [miner["name"] for miner in records.miners("rig-1")] == ["cpu"]
    assert "extra" not in records.farm["playbook"]
    gone = records.ask(changes.remove_playbook, "cpu", "try")["rollout"]["id"]
    assert (records.miners("rig-1"), len(records.miners("rig-2"))) == ([], 1)
    assert refused(records, changes.remove_template, "pool", "nano").status == 409, "a cancel would need it"
    records.ask(changes.cancel_rollout, gone)
    assert url_and_number(records, "rig-1") == url_and_number(records, "rig-2")


def test_a_canary_that_fails_stops_the_rollout(records: Records) -> None:
    rollout = records.save("cpu", "try", arguments=["{{ pool.url }}", "bad"])["rollout"]["id"]
    records.report("rig-1", "failed", error="miner cpu: crashed")
    assert records.state(rollout) == "failed"
    assert refused(records, changes.continue_rollout, rollout, True).status == 409
    answer = records.save("cpu", arguments=["{{ pool.url }}", "better"])
    assert (answer["rollout"]["id"], records.sent, records.state(rollout)) == (rollout, ["rig-1"], "running")
    records.report("rig-1")
    assert records.state(rollout) == "waiting"
    assert url_and_number(records, "rig-3")[1] == "1"
    records.ask(changes.cancel_rollout, rollout)
    assert url_and_number(records, "rig-1")[1] == "1", "as before the trial, not as before its last change"


def test_who_is_held_stays_held_whatever_else_is_saved(records: Records) -> None:
    rollout = records.save("cpu", "try", arguments=["{{ pool.url }}", "2"])["rollout"]["id"]
    answer = records.save("second", mine=[{"address": "cold"}], arguments=["x"])
    assert (records.sent, answer["left"]) == (["rig-1"], {"rig-2": rollout, "rig-3": rollout})
    answer = records.ask(changes.save_template, "pool", "nano", POOL, None, "")
    assert (records.sent, list(answer["left"])) == (["rig-1"], ["rig-2", "rig-3"])
    assert refused(records, changes.save_playbook, "cpu", playbook(nice=1), None, "", "other").field == "canary"
    records.ask(changes.label, "rig-2", "try", [])
    assert records.sent == [], "not even into the canary group by a label"
    records.ask(changes.continue_rollout, rollout, True)
    assert records.sent == ["rig-2", "rig-3"]
    for node in ("rig-1", "rig-2", "rig-3"):
        assert url_and_number(records, node) == ["stratum+tcp://c.example:3", "2", "x"]


def test_cancel_leaves_what_else_was_saved(records: Records) -> None:
    rollout = records.save("cpu", "try", arguments=["{{ pool.url }}", "2"])["rollout"]["id"]
    records.ask(changes.save_template, "pool", "nano", POOL, None, "")
    records.ask(changes.cancel_rollout, rollout)
    for node in ("rig-1", "rig-2", "rig-3"):
        assert url_and_number(records, node) == ["stratum+tcp://c.example:3", "1"]


def test_money_on_trial_needs_an_admin_and_goes_back(records: Records) -> None:
    rollout = records.ask(changes.save_template, "pool", "nano", POOL, None, "try")["rollout"]["id"]
    assert (url_and_number(records, "rig-1")[0], url_and_number(records, "rig-2")[0]) == (
        *("stratum+tcp://c.example:3", "stratum+ssl://a.example:1"),
    )
    assert refused(records, changes.continue_rollout, rollout, False).status == 403
    assert refused(records, changes.save_template, "pool", "nano", POOL, 7, "").status == 409
    records.ask(changes.cancel_rollout, rollout)
    assert url_and_number(records, "rig-1")[0] == "stratum+ssl://a.example:1"
    assert records.farm["template"]["pool", "nano"]["version"] == 3


def test_a_trial_without_anybody_to_try_is_refused(records: Records) -> None:
    assert refused(records, changes.save_playbook, "cpu", playbook(nice=1), None, "", "nobody").field == "canary"
    assert refused(records, changes.save_playbook, "cpu", playbook(nice=1), None, "", "N o").field == "canary"
    records.save("cpu", "try", nice=1, targets={"nodes": ["rig-1"]}, arguments=["{{ pool.url }}", "1"])
    open_trials = rollouts.trials(records.farm)
    assert open_trials, "rig-2 and rig-3 lose their miner: they are held"
    records.ask(changes.cancel_rollout, open_trials[0]["id"])
    for name in ("rig-2", "rig-3"):
        records.ask(changes.label, name, "try", [])
    answer = records.save("cpu", "try", nice=1)
    assert (answer["rollout"]["trial"], answer["rollout"]["counts"]) == (False, {"pending": 3}), "all are of the group"


def test_nodes_that_come_later(records: Records) -> None:
    newcomers = Newcomers()

    def look() -> None:
        newcomers.serve(records.farm, records.moment(), records.apply)

    look()
    assert records.sent == []
    records.save("later", mine=[{"address": "cold"}], arguments=["x"], targets={"nodes": [], "groups": ["shed"]})
    records.join("rig-4")
    look()
    assert records.miners("rig-4") == []
    records.ask(changes.label, "rig-4", "shed", [])
    assert url_and_number(records, "rig-4") == ["x"]
    assert refused(records, changes.label, "rig-5", "shed", []).status == 404
    wish = {"domain": "house", "kind": "cpu-gpu", "name": "rig-5", "ttl_s": 60, "fingerprint": ""}
    _, token, effects = create_token(records.farm, wish, records.moment())
    records.apply([effect for effect in effects if isinstance(effect, Put) and effect.table == "token"])
    records.ask(changes.label, "rig-5", "shed", [])
    records.save("named", mine=[{"address": "cold"}], arguments=["y"], targets={"nodes": ["rig-5"]})
    look()
    assert (records.sent, token["name"]) == ([], "rig-5")
    records.join("rig-5")
    look()
    assert url_and_number(records, "rig-5") == ["x", "y"]
    records.apply(remove_node(records.farm, "rig-5", records.moment()))
    assert "rig-5" not in records.farm["label"]


def test_a_newcomer_on_trial_waits_and_one_with_a_problem_has_an_alert(records: Records) -> None:
    newcomers = Newcomers()
    records.save("cpu", arguments=["{{ pool.url }}", "1"], targets={"groups": ["try", "shed"]})
    rollout = records.save("cpu", "try", arguments=["{{ pool.url }}", "2"], targets={"groups": ["try", "shed"]})
    assert rollout["rollout"]["counts"] == {"pending": 1}, "nobody else has it"
    records.ask(changes.label, "rig-2", "shed", [])
    assert url_and_number(records, "rig-2")[1] == "2"
    trial = records.save("cpu", "try", arguments=["{{ pool.url }}", "3"], targets={"groups": ["try", "shed"]})
    trial_id = trial["rollout"]["id"]
    answer = records.ask(changes.label, "rig-3", "shed", [])
    assert (records.sent, answer["left"]) == ([], {"rig-3": trial_id})
    records.ask(changes.continue_rollout, trial_id, False)
    assert url_and_number(records, "rig-3")[1] == "3"
    row = records.farm["playbook"]["cpu"]
    records.farm["playbook"]["cpu"] = {**row, "data": {**row["data"], "arguments": ["{{ gone }}"]}}
    records.join("rig-5")
    records.farm["label"]["rig-5"] = {"node": "rig-5", "group": "shed", "tags": [], "updated": 0, "by": ""}
    newcomers.serve(records.farm, records.moment(), records.apply)
    assert "gone is missing here" in records.farm["alert"]["rig-5", "self", "playbooks"]["text"]
    records.farm["playbook"]["cpu"] = row
    records.ask(changes.label, "rig-5", "shed", ["again"])
    assert ("rig-5", "self", "playbooks") not in records.farm["alert"]


def test_old_rollouts_are_forgotten(records: Records) -> None:
    for number in range(rollouts.KEPT + 5):
        records.save("cpu", arguments=[str(number)], targets={"nodes": ["rig-1"]})
        records.report("rig-1")
    assert len(records.farm["rollout"]) <= rollouts.KEPT + 2
    assert {row["rollout"] for row in records.farm["rollout_node"].values()} <= records.farm["rollout"].keys()
