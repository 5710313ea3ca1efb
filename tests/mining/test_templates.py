"""Coins, pools, addresses, software and releases: what is taken, and what is refused with which words."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commander.effects import Refused
from commander.mining import changes, software, urls
from schema.playbooks import ADAPTERS
from tests.mining.playbook_farm import RELEASE, XMR, Records, unchanged

LONG = "x" * 600


@pytest.fixture(scope="module")
def records() -> Records:
    return Records().furnished()


def refused(records: Records, what: Any, *arguments: Any) -> Refused:
    """The refusal; nothing has changed."""
    before = unchanged(records.farm)
    with pytest.raises(Refused) as error:
        records.ask(what, *arguments)
    assert unchanged(records.farm) == before
    return error.value


@pytest.mark.parametrize(
    ("kind", "name", "data", "field", "says"),
    [
        ("purse", "a", {}, "kind", "coin, pool, address"),
        ("coin", "A b", {"algorithm": "rx/0"}, "name", "must match"),
        ("coin", "a", {}, "algorithm", "missing"),
        ("coin", "a", {"algorithm": "rx 0"}, "algorithm", "for example rx/0"),
        ("coin", "a", {"algorithm": 7}, "algorithm", "must be text"),
        ("coin", "a", {"algorithm": "rx/0", "colour": 1}, "colour", "unknown field"),
        ("address", "a", {"coin": "gold", "address": XMR}, "coin", "there is no coin gold; known: monero"),
        ("address", "a", {"coin": "monero", "address": "abc"}, "address", "4 to 256"),
        ("address", "a", {"coin": "monero", "address": "48e dfH"}, "address", "without blanks"),
        ("address", "a", {"coin": "monero", "address": "48e;rm"}, "address", "without blanks"),
        ("address", "a", {"coin": "monero", "address": LONG}, "address", "at most 256"),
        ("pool", "a", {"coin": "monero", "urls": []}, "urls", "1 to 8"),
        ("pool", "a", {"coin": "monero", "urls": [{"url": "a:1"}] * 9}, "urls", "1 to 8"),
        ("pool", "a", {"coin": "monero", "urls": ["ftp://a:1"]}, "urls[0]", "no scheme for a pool"),
        ("pool", "a", {"coin": "monero", "urls": ["a:1", "a"]}, "urls[1]", "host:port"),
        ("pool", "a", {"coin": "monero", "urls": ["a:70000"]}, "urls[0]", "1 to 65535"),
        ("pool", "a", {"coin": "monero", "urls": ["a b:1"]}, "urls[0]", "host:port"),
        ("pool", "a", {"coin": "monero", "urls": [{"url": "ssl://a:1", "tls": False}]}, "urls[0]", "`tls` says"),
        ("pool", "a", {"coin": "monero", "urls": [{"url": LONG}]}, "urls[0].url", "at most 512"),
        ("pool", "a", {"coin": "monero", "urls": [1]}, "urls[0].url", "must be an object"),
        ("pool", "a", {"coin": "monero", "urls": ["a:1"], "user": "{{ x"}, "user", "is no template"),
        ("pool", "a", {"coin": "monero", "urls": ["a:1"], "password": "$NOPE"}, "password", "$NOPE is unknown"),
    ],
)
def test_refused_templates(records: Records, kind: str, name: str, data: Any, field: str, says: str) -> None:
    error = refused(records, changes.save_template, kind, name, data, None, "")
    assert error.field == field or field in str(error)
    assert says in str(error)


def test_a_template_is_kept_in_full_and_used_ones_stay() -> None:
    records = Records().furnished()
    pool = records.farm["template"]["pool", "nano"]
    assert pool["data"]["urls"] == [
        {"url": "stratum+ssl://a.example:1", "tls": True},
        {"url": "stratum+tcp://b.example:2", "tls": False},
    ]
    assert pool["data"]["user"] == "{{ address }}.{{ worker }}"
    records.save()
    for kind, name, user in (("pool", "nano", "playbook cpu"), ("coin", "monero", "address cold, playbook cpu")):
        error = refused(records, changes.remove_template, kind, name)
        assert (error.status, user in error.problem) == (409, True)
    assert refused(records, changes.remove_template, "pool", "other").status == 404
    assert refused(records, changes.save_template, "coin", "monero", {"algorithm": "x"}, 7, "").status == 409
    assert refused(records, changes.remove_release, "xmrig", "6.22.2", "linux-x86_64").status == 409
    records.ask(changes.remove_playbook, "cpu", "")
    records.ask(changes.remove_template, "pool", "nano")
    assert ("pool", "nano") not in records.farm["template"]
    last = records.audit[-1]
    assert (last["what"], last["by"], last["data"]["before"]["coin"], last["data"]["after"]) == (
        *("pool removed", "tester"),
        *("monero", None),
    )


@settings(max_examples=200)
@given(text=st.text(max_size=40) | st.from_regex(r"([a-z+]{1,9}://)?[a-z.\[\]:0-9]{1,20}:[0-9]{1,6}/?", fullmatch=True))
def test_any_text_is_a_url_or_is_refused(text: str) -> None:
    try:
        url = urls.parse(text)
    except ValueError:
        return
    assert urls.parse(url.text) == url, "its own form is a form of it"
    assert 1 <= url.port <= 65_535
    assert not set(url.text) & set(" \t\n'\"$;|&<>{}")


def test_the_catalog_is_complete_and_its_templates_are_templates() -> None:
    names = {"xmrig", "lolminer", "bzminer", "trex", "srbminer", "rigel", "monerod"}
    assert set(software.shipped()) == names
    records = Records().furnished()
    for name, found in software.shipped().items():
        software.refuse_unlike(software.SOFTWARE, found)
        software.refuse_arguments("arguments", found["arguments"])
        assert found["adapter"] in ADAPTERS
        for kind in found["mines"]:
            records.ask(changes.save_release, name, "1", "linux-x86_64", RELEASE, "")
            mine = [{"address": "cold"}] if name == "monerod" else [{"pool": "nano", "address": "cold"}]
            records.save(f"{name}-{kind}", software=name, release="1", kind=kind, mine=mine)
    miners = {miner["name"]: miner for miner in records.miners("rig-1")}
    ports = [miner["api"]["port"] for miner in miners.values()]
    assert len(ports) == len({*ports}) == 9, "each has a port of its own"
    for miner in miners.values():
        assert any(str(miner["api"]["port"]) in argument for argument in miner["args"])
        assert any(XMR in argument for argument in miner["args"])
    args = miners["xmrig-cpu"]["args"]
    at = args.index("stratum+tcp://b.example:2")
    assert args[at - 1 : at + 5] == ["--url", args[at], "--algo", "rx/0", "--user", f"{XMR}.rig-1"]
    assert "--disable-gpu" in miners["srbminer-cpu"]["args"]
    assert "on" in miners["lolminer-gpu"]["args"]


@pytest.mark.parametrize(
    ("data", "field", "says"),
    [
        ({}, "sha256", "missing"),
        ({"url": "https://a/b"}, "sha256", "missing"),
        ({"sha256": "ab" * 32}, "url", "either"),
        ({"url": "https://a/b", "path": "/x", "sha256": "ab" * 32}, "url", "either"),
        ({"url": "file:///etc/passwd", "sha256": "ab" * 32}, "url", "https://"),
        ({"url": "https://a/b", "sha256": "ab" * 31}, "sha256", "64 hexadecimal"),
        ({"url": "https://a/b", "sha256": "ab" * 32, "archive": "rar"}, "archive", "none, tar, zip"),
        ({"url": "https://a/b", "sha256": "ab" * 32, "archive": "tar"}, "member", "program in the archive"),
        ({"url": "https://a/b", "sha256": "ab" * 32, "member": "x"}, "member", "leave it out"),
        ({**RELEASE, "member": "../x"}, "member", "without .."),
        ({**RELEASE, "member": "/bin/sh"}, "member", "not absolute"),
        ({**RELEASE, "run": "sh"}, "run", "unknown field"),
    ],
)
def test_refused_releases(records: Records, data: Any, field: str, says: str) -> None:
    error = refused(records, changes.save_release, "xmrig", "7", "linux-x86_64", data, "")
    assert error.field == field
    assert says in error.problem


def test_names_of_releases_and_own_software() -> None:
    records = Records().furnished()
    assert refused(records, changes.save_release, "nothing", "1", "linux-x86_64", RELEASE, "").field == "software"
    assert refused(records, changes.save_release, "xmrig", "../1", "linux-x86_64", RELEASE, "").field == "release"
    assert refused(records, changes.save_release, "xmrig", "1", "linux", RELEASE, "").field == "platform"
    assert refused(records, changes.save_software, "xmrig", {"mines": ["cpu"], "adapter": "none"}).status == 409
    assert refused(records, changes.save_software, "own", {"mines": [], "adapter": "none"}).field == "mines"
    assert refused(records, changes.save_software, "own", {"mines": ["cpu"], "adapter": "claymore"}).field == "adapter"
    wrong = {"mines": ["cpu"], "adapter": "none", "arguments": ["a", ["b", 1]]}
    assert refused(records, changes.save_software, "own", wrong).field == "arguments[1]"
    records.ask(changes.save_software, "own", {"mines": ["cpu"], "adapter": "none", "arguments": ["{{ worker }}"]})
    records.ask(changes.save_release, "own", "1", "linux-x86_64", {"path": "/usr/bin/true", "sha256": "00" * 32}, "")
    records.save("own", software="own", release="1", mine=[{"address": "cold"}])
    miner = records.miners("rig-2")[0]
    assert (miner["args"], miner["adapter"], "api" in miner) == (["rig-2"], "none", False)
    assert refused(records, changes.remove_software, "own").status == 409
    records.ask(changes.remove_playbook, "own", "")
    assert refused(records, changes.remove_software, "own").status == 409
    records.ask(changes.remove_release, "own", "1", "linux-x86_64")
    records.ask(changes.remove_software, "own")
    assert not records.farm["software"]
