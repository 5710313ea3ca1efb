"""What a host refuses to run, and what its owner's own catalog allows."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.message import Invalid, check
from schema.playbooks import PLAYBOOKS
from sentry.mining.host_catalog import load
from sentry.mining.miner_plan import Plan, Refused, plans
from sentry.mining.miner_store import Store
from sentry.mining.processes import Identity
from sentry.mining.rollout import here
from tests.mining.hosts import SIMULATED, digest, miner, program

CPUS = os.sched_getaffinity(0)


def planned(*told: dict[str, Any], catalog: Any = None) -> list[Plan]:
    check(PLAYBOOKS, {"miners": list(told)})
    return plans(told, here(), CPUS, catalog)


def of(**change: Any) -> dict[str, Any]:
    return {"programs": {here(): {**program(), **change}}}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (of(sha256="A" * 64), "programs.sha256: must be 64 digits"),
        (of(url="http://x/y"), "programs.url: either this or `path`"),
        (of(path="bin/x"), "programs.path: must be a whole path"),
        (of(path="", url="file:///etc/passwd"), "programs.url: must be http"),
        (of(path="", url="http://["), "programs.url: must be http"),
        (of(archive="zip"), "programs.member: must be given"),
        (of(archive="zip", member="/bin/x"), "leaves the folder"),
        ({"env": {"PATH": "/tmp"}}, "env.PATH"),
        ({"env": {"A=B": "x"}}, "env.A=B: must be a plain name"),
        ({"env": {"FARMHAND_MINER": "x"}}, "env.FARMHAND_MINER"),
        ({"name": "x" * 43}, "name: must have at most 42"),
        ({"watchdog": [{"watch": "power", "for_s": 1, "act": "stop"}]}, "watchdog.below"),
    ],
)
def test_what_cannot_be_is_named(change: dict[str, Any], why: str) -> None:
    told = miner(**change) if "name" in change else miner("cpu", **change)
    with pytest.raises(Refused) as caught:
        planned(told)
    assert str(caught.value).startswith(f"miner {told['name']}: ")
    assert why in str(caught.value)


def test_two_miners_at_one_port() -> None:
    with pytest.raises(Refused, match=r"miner gpu: api\.port: 4000 is also that of cpu"):
        planned(miner("cpu", port=4000), miner("gpu", port=4000))
    assert [plan.port for plan in planned(miner("a", adapter="none"), miner("b", adapter="none"))] == [0, 0]


def test_the_owners_catalog_counts(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"catalog\.toml: .*No such file"):
        load(tmp_path)
    text = f'[simulated."1.0".{here()}]\npath = "{SIMULATED}"\nsha256 = "{digest(SIMULATED)}"\narchive = "none"\n'
    (tmp_path / "catalog.toml").write_text(text)
    evil = miner("cpu", programs={here(): {**program(), "path": "", "url": "http://evil/x"}})
    (plan,) = planned(evil, catalog=load(tmp_path))
    assert (plan.program.url, plan.program.path) == ("", str(SIMULATED))
    with pytest.raises(Refused, match=r"software: simulated 2\.0 is not in catalog\.toml of this host"):
        planned({**evil, "release": "2.0"}, catalog=load(tmp_path))
    for wrong, why in (
        (text + "colour = 1\n", f"simulated.1.0.{here()}: colour: unknown field"),
        ("[simulated]\n1 = 2\n", "simulated.1 must be a table"),
        ("[", "catalog.toml: "),
    ):
        (tmp_path / "catalog.toml").write_text(wrong)
        with pytest.raises(Invalid, match=why):
            load(tmp_path)


@given(st.text(min_size=1, max_size=64), st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True))
def test_software_has_a_folder_of_its_own(release: str, software: str) -> None:
    told = miner("cpu", port=4000, release=release, software=software)
    (plan,) = plans([told], here(), CPUS, None)
    assert "/" not in plan.program.key
    assert plan.program.key not in (".", "..")
    assert "\0" not in plan.program.key


def test_what_is_noted_outlives_a_restart(tmp_path: Path) -> None:
    store, who = Store(tmp_path), Identity(1, 2, "boot")
    store.run(7, [{"name": "cpu"}])
    store.note("cpu", who, "digest", "signal")
    store.stop("cpu", True)
    assert store.count_deed("rule")
    again = Store(tmp_path)
    assert (again.running, again.working) == ({"rev": 7, "miners": [{"name": "cpu"}]}, None)
    assert again.process("cpu") == (who, "digest", "signal")
    assert (again.stopped, again.deeds("rule"), again.deeds("other")) == (["cpu"], 1, 0)
    again.run(8, [])
    assert again.stopped == []  # a new revision: all of it runs
    (tmp_path / "miners.json").write_text("{")
    assert Store(tmp_path).running is None
