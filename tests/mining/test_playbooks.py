"""Playbooks and what they become on each node."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commander.effects import Refused
from commander.mining import changes
from commander.mining.miners import document
from schema.message import check
from schema.playbooks import PLAYBOOKS
from tests.mining.playbook_farm import RELEASE, XMR, Records, playbook, unchanged

ALL = {"groups": ["try"], "tags": ["fast"], "nodes": []}


@pytest.fixture
def records() -> Records:
    return Records().furnished()


def refused(records: Records, what: Any, *arguments: Any) -> Refused:
    before = unchanged(records.farm)
    with pytest.raises(Refused) as error:
        records.ask(what, *arguments)
    assert unchanged(records.farm) == before, "nothing has changed"
    return error.value


def test_a_playbook_becomes_a_miner_of_its_name(records: Records) -> None:
    answer = records.save(
        "both",
        arguments=["-u", "$CPU_WALLET.$WORKER_NAME", ["-o", "%URL%"], "{{ node.group }}", "", "a b; c"],
        environment={"GPU_MAX": "{{ api.port }}"},
        schedule=[{"days": ["mon"], "from": "22:00", "to": "06:00"}],
        watchdog=[{"watch": "hashrate", "below": 10.5, "for_s": 60, "act": "restart-miner"}],
        **{"nice": 19, "cpus": [0, 1], "huge_pages": 1280, "grace_s": 60, "gpus": 0},
    )
    assert (answer["playbook"]["version"], answer["rollout"]["counts"]) == (1, {"pending": 3})
    assert records.sent == ["rig-1", "rig-2", "rig-3"]
    miner = records.miners("rig-1")[0]
    urls = ["-o", "stratum+ssl://a.example:1", "-o", "stratum+tcp://b.example:2"]
    assert miner["args"] == ["-u", f"{XMR}.rig-1", *urls, "try", "", "a b; c"]
    assert records.miners("rig-3")[0]["args"][-3] == ""
    token = answer["playbook"]["data"]["api"]["token"]
    assert miner["api"] == {"port": 44_000, "token": token}
    assert miner["env"] == {"GPU_MAX": "44000"}
    assert miner["programs"] == {"linux-x86_64": {**RELEASE, "licence": "GPL-3.0-or-later"}}
    assert (miner["nice"], miner["cpus"], miner["grace_s"], miner["gpus"]) == (19, [0, 1], 60, 0)
    assert (miner["adapter"], miner["algorithms"], miner["version"]) == ("xmrig", ["rx/0"], 1)
    assert len(token) == 32
    check(PLAYBOOKS, {"miners": [miner]})
    assert (
        records.save("both", **{k: v for k, v in answer["playbook"]["data"].items() if k != "api"})["rollout"] is None
    )


def test_cpu_and_gpu_at_the_same_time_and_who_is_meant(records: Records) -> None:
    records.ask(changes.save_release, "lolminer", "1.88", "linux-x86_64", RELEASE, "")
    records.ask(changes.save_template, "coin", "ergo", {"algorithm": "AUTOLYKOS2"}, None, "")
    records.ask(changes.save_template, "address", "erg", {"coin": "ergo", "address": "9abc"}, None, "")
    records.ask(changes.save_template, "pool", "ergo-pool", {"coin": "ergo", "urls": ["e.example:3"]}, None, "")
    records.save("cpu", targets={"groups": ["try"]})
    mine = [{"pool": "ergo-pool", "address": "erg"}, {"pool": "nano", "address": "cold"}]
    arguments = ["$GPU_POOL_1", "$GPU_WALLET_2", "{{ pools[1].user }}", "{{ algorithms | join('+') }}"]
    gpu = {"software": "lolminer", "release": "1.88", "kind": "gpu", "targets": {"tags": ["fast"]}}
    records.save("gpu", **gpu, mine=mine, arguments=arguments)
    assert [miner["name"] for miner in records.miners("rig-1")] == ["cpu", "gpu"]
    assert records.miners("rig-1")[1]["args"] == ["stratum+tcp://e.example:3", XMR, f"{XMR}.rig-1", "AUTOLYKOS2+rx/0"]
    assert records.miners("rig-2") == []
    records.ask(changes.label, "rig-2", "", ["fast"])
    assert [miner["name"] for miner in records.miners("rig-2")] == ["gpu"]
    assert records.sent == ["rig-2"]
    records.ask(changes.label, "rig-1", "other", ["fast"])
    assert [miner["name"] for miner in records.miners("rig-1")] == ["gpu"]
    records.ask(changes.remove_playbook, "gpu", "")
    assert records.sent == ["rig-1", "rig-2"]
    assert records.farm["desired"]["rig-1", "playbooks"]["data"] == {"miners": []}


@pytest.mark.parametrize(
    ("more", "field", "says"),
    [
        ({"software": "xmr-stak"}, "software", "known: bzminer, lolminer"),
        ({"release": "6.0"}, "release", "known: 6.22.2"),
        ({"software": "trex", "release": "1", "kind": "gpu"}, "release", "known: none yet"),
        ({"software": "monerod", "kind": "gpu"}, "kind", "cpu only"),
        ({"kind": "asic"}, "kind", "cpu, gpu"),
        ({"mine": []}, "mine", "1 to 2"),
        ({"mine": [{"pool": "nano"}]}, "mine[0].address", "missing"),
        ({"mine": [{"pool": "no", "address": "cold"}]}, "mine[0].pool", "no pool no"),
        ({"mine": [{"pool": "nano", "address": "erg"}]}, "mine[0]", "nano is of monero, erg of ergo"),
        ({"targets": {"nodes": ["ghost"]}}, "targets.nodes", "no node ghost"),
        ({"targets": {"nodes": ["esp-1"]}}, "targets.nodes", "only cpu-gpu"),
        ({"targets": {"all": True}}, "targets.all", "unknown field"),
        ({"arguments": ["{{ wallet }}"]}, "arguments[0]", "wallet is missing here (playbook new on rig-1)"),
        ({"arguments": ["a", "$GPU_WALLET_1"]}, "arguments[1]", "$GPU_WALLET_1 is missing here"),
        ({"arguments": ["{{ 10**9 }}"]}, "arguments[0]", "pow is not allowed"),
        ({"arguments": "-o x"}, "arguments", ""),
        ({"arguments": [["{{ pool.url }}"]], "mine": [{"address": "cold"}]}, "arguments[0]", "no pool is given"),
        ({"environment": {"LD_PRELOAD": "/tmp/x.so"}}, "environment.LD_PRELOAD", "LD_"),
        ({"environment": {"PATH": "/tmp"}}, "environment.PATH", "not PATH"),
        ({"environment": {"A": "{{ b }}"}}, "environment.A", "b is missing"),
        ({"api": {"port": 0}}, "api.port", "from 1 to 65535"),
        ({"api": {"token": "a b"}}, "api.token", "without blanks"),
        ({"schedule": [{"days": [], "from": "25:00", "to": "06:00"}]}, "schedule[0].from", "HH:MM"),
        ({"schedule": [{"days": ["day"], "from": "1", "to": "2"}]}, "schedule.days", "mon"),
        ({"watchdog": [{"watch": "hashrate", "for_s": 1, "act": "stop"}]}, "watchdog[0]", "`below` or `above`"),
        ({"nice": 20}, "nice", "from 0 to 19"),
        ({"colour": "red"}, "colour", "unknown field"),
    ],
)
def test_refused_playbooks(records: Records, more: Any, field: str, says: str) -> None:
    records.ask(changes.save_template, "coin", "ergo", {"algorithm": "x"}, None, "")
    records.ask(changes.save_template, "address", "erg", {"coin": "ergo", "address": "9abc"}, None, "")
    error = refused(records, changes.save_playbook, "new", playbook(**more), None, "", "")
    assert error.field == field
    assert says in error.problem


def test_names_and_versions_of_playbooks(records: Records) -> None:
    assert refused(records, changes.save_playbook, "A b", playbook(), None, "", "").field == "name"
    assert refused(records, changes.save_playbook, "a" * 58, playbook(), None, "", "").field == "name"
    assert refused(records, changes.save_playbook, "cpu", playbook(), 3, "", "").status == 409
    records.ask(changes.save_playbook, "cpu", playbook(nice=1), 0, "why not", "")
    records.ask(changes.save_playbook, "cpu", playbook(nice=2), 1, "", "")
    token = records.miners("rig-1")[0]["api"]["token"]
    records.ask(changes.restore_playbook, "cpu", 1, "")
    assert (records.miners("rig-1")[0]["nice"], records.miners("rig-1")[0]["version"]) == (1, 3)
    assert records.miners("rig-1")[0]["api"]["token"] == token
    records.ask(changes.remove_playbook, "cpu", "")
    assert refused(records, changes.remove_playbook, "cpu", "").status == 404
    assert refused(records, changes.restore_playbook, "cpu", 4, "").status == 404
    records.ask(changes.restore_playbook, "cpu", 2, "")
    past = sorted(records.farm["playbook_version"].items())
    assert [(key[1], row["note"]) for key, row in past] == [
        *((1, "why not"), (2, "changed"), (3, "version 1 restored"), (4, "removed"), (5, "version 2 restored")),
    ]
    assert records.farm["playbook"]["cpu"]["version"] == 5


def test_one_port_for_two_is_refused_and_a_usual_one_makes_room(records: Records) -> None:
    records.save("b")
    records.save("a")
    assert [(m["name"], m["api"]["port"]) for m in records.miners("rig-1")] == [("b", 44_000), ("a", 44_001)]
    records.save("c", api={"port": 44_001})
    assert [m["api"]["port"] for m in records.miners("rig-1")] == [44_000, 44_002, 44_001], "what is named is kept free"
    records.save("c", api={"port": 44_005})
    error = refused(records, changes.save_playbook, "d", playbook(api={"port": 44_005}), None, "", "")
    assert "44005 is also that of playbook c (playbook d on rig-1)" in error.problem
    records.save("d", api={"port": 44_005}, targets={"groups": ["elsewhere"]})
    error = refused(records, changes.label, "rig-2", "elsewhere", [])
    assert "is also that of playbook c" in error.problem


def test_preview_renders_and_saves_nothing(records: Records) -> None:
    records.save("cpu", targets={"nodes": ["rig-2"]})
    before = unchanged(records.farm)
    new = playbook(arguments=["{{ node.tags[0] }}"], targets={"nodes": ["rig-1", "rig-3"]})
    found = changes.preview(records.farm, "cpu", new, records.moment())
    nodes = {row["node"]: row for row in found["nodes"]}
    assert nodes["rig-1"]["miner"]["args"] == ["fast"]
    assert nodes["rig-3"]["problems"] == [
        {"playbook": "cpu", "field": "arguments[0]", "problem": "'{{ node.tags[0] }}': node.tags[0] is missing here"}
    ]
    assert (nodes["rig-2"]["miner"], nodes["rig-2"]["differs"], nodes["rig-2"]["targeted"]) == (None, True, False)
    assert found["version"] == 2
    assert unchanged(records.farm) == before


TEXTS = st.text(st.characters(exclude_characters="\x00\r{}$%", exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=60)
@given(arguments=st.lists(TEXTS, max_size=8), values=st.lists(TEXTS, max_size=3))
def test_arguments_are_never_split_or_joined(arguments: list[str], values: list[str]) -> None:
    records = Records().furnished()
    given = [part for argument in arguments for part in (argument, f"{argument}{{{{ worker }}}}")]
    records.save("cpu", arguments=given, environment={f"V{n}": value for n, value in enumerate(values)})
    miner = records.miners("rig-2")[0]
    assert miner["args"] == [part for argument in arguments for part in (argument, f"{argument}rig-2")]
    assert list(miner.get("env", {}).values()) == values


def test_a_change_that_one_node_cannot_have_changes_nothing(records: Records) -> None:
    records.save("cpu", arguments=["{{ pool.user }}", "{{ node.group }}"])
    pool = {"coin": "monero", "urls": ["c:3"], "user": "{{ node.tags[0] }}"}
    error = refused(records, changes.save_template, "pool", "nano", pool, None, "")
    assert error.field == "mine[0].pool user"
    assert "playbook cpu on rig-2" in error.problem


def test_what_the_schema_would_refuse_is_a_problem_with_a_name(records: Records) -> None:
    """The schema's own limits stand behind all checks here."""
    records.save("cpu")
    row = records.farm["playbook"]["cpu"]
    records.farm["playbook"]["cpu"] = {**row, "data": {**row["data"], "nice": 99}}
    _, problems = document(records.farm, records.farm["node"]["rig-1"])
    assert [(each.playbook, each.field) for each in problems] == [("cpu", "miners.nice")]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(["nano", "try"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=6), inside, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=60)
@given(field=st.sampled_from([*playbook(), "arguments", "environment", "api", "schedule", "watchdog", "x"]), value=ANY)
def test_any_value_in_any_field_is_taken_or_refused(field: str, value: Any) -> None:
    """Whatever is sent: an answer, or a refusal that names a field; nothing else, and nothing half done."""
    records = Records().furnished()
    before = unchanged(records.farm)
    refusal = ""
    try:
        records.ask(changes.save_playbook, "cpu", {**playbook(), field: value}, None, "", "")
    except Refused as error:
        refusal = error.field
    assert (unchanged(records.farm) == before) == bool(refusal)
