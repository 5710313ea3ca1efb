"""Placeholders: one argument stays one, nothing runs away, and what is missing is named."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commander.mining.render import ALIASES, MOST, Unrenderable, check, render

URLS = [{"url": "stratum+tcp://a:1", "host": "a", "port": 1}, {"url": "stratum+ssl://b:2", "host": "b", "port": 2}]
NAMES: dict[str, Any] = {
    "worker": "rig-1",
    "address": "4AAA",
    "pool": {**URLS[0], "tls": False, "urls": URLS},
    "pools": [{**URLS[0]}, {**URLS[1]}],
    "api": {"port": 44_000, "token": ""},
    "node": {"tags": ["a", "b"], "group": ""},
    "cpu": {"address": "4AAA", "pool": URLS[0]},
}


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("-o", "-o"),
        ("", ""),
        ("{{ pool.url }}", "stratum+tcp://a:1"),
        ("{{ pools[1].host }}:{{ pools[1]['port'] }}", "b:2"),
        ("%WAL%.%WORKER_NAME% at %URL_HOST%:%URL_PORT%", "4AAA.rig-1 at a:1"),
        ("$CPU_WALLET/$WORKER_NAME", "4AAA/rig-1"),
        ("{{ pool.urls | join(',', attribute='url') }}", "stratum+tcp://a:1,stratum+ssl://b:2"),
        ("{{ node.tags | join('+') }}", "a+b"),
        ("{{ 'on' if pool.tls else 'off' }}, {{ pool.tls }}", "off, false"),
        ("{% if node.group == '' %}none{% else %}some{% endif %}", "none"),
        ("{{ nothing | default('else') }}", "else"),
        ("{{ '$WORKER_NAME' }} 100% OFF $5", "$WORKER_NAME 100% OFF $5"),
        ("; rm -rf / && $(id) `id` | x > y", "; rm -rf / && $(id) `id` | x > y"),
        ("ends with a line\n", "ends with a line\n"),
    ],
)
def test_rendered(text: str, becomes: str) -> None:
    assert render(text, NAMES) == becomes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ wallet }}", "wallet is missing"),
        ("{{ pool.uri }}", "pool.uri is missing"),
        ("{{ pools[2].url }}", "pools[2].url is missing"),
        ("$GPU_WALLET_1", "$GPU_WALLET_1 is missing"),
        ("$WALLET", "$WALLET is unknown; allowed: $WORKER_NAME"),
        ("%EMAIL%", "%EMAIL% is unknown"),
        ("{{ worker", "is no template"),
        ("{{ pool }}", "is not a single value"),
        ("{{ pool.keys }}", "pool.keys is missing"),
        ("{{ worker.__class__.__mro__ }}", "is missing"),
        ("{{ worker.format }}", "worker.format is missing"),
        ("{{ self }}", "is not a single value"),
        ("{{ range(10**9) }}", "call is not allowed"),
        ("{{ 10**9 }}", "pow is not allowed"),
        ("{{ range(9) }}", "call is not allowed"),
        ("{{ 'x' * 999999999 }}", "mul is not allowed"),
        ("{% for a in pool.urls %}{{ a }}{% endfor %}", "for is not allowed"),
        ("{% set a = 1 %}", "assign is not allowed"),
        ("{% macro a() %}{% endmacro %}", "macro is not allowed"),
        ("{% include 'passwd' %}", "include is not allowed"),
        ("{{ worker | replace('r', worker) }}", "no filter"),
        ("{{ 'ab' | join('ab') }}", "join needs a list"),
        ("{{ node.tags | join(worker) }}", "plain text only"),
        ("{{ [worker, worker] | join }}", "list is not allowed"),
        ("{{ " + "(" * 1500 + "1" + ")" * 1500 + " }}", "is no template"),
        ("{{ " + "not " * 300 + "1 }}", "nested too deeply"),
        ("{{ worker }}" + "x" * MOST, "characters; at most"),
        ("{{ '\x00' }}", "NUL"),
        ("a\r\n{{ worker }}", "carriage return"),
    ],
)
def test_refused(text: str, says: str) -> None:
    with pytest.raises(Unrenderable) as refused:
        render(text, NAMES)
    assert says in str(refused.value)


@settings(max_examples=150)
@given(value=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=200))
def test_what_is_filled_in_is_not_looked_at_again(value: str) -> None:
    """A value is text, whatever is in it: blanks, quotes, placeholders, names."""
    names = {**NAMES, "worker": value}
    assert render("{{ worker }}", names) == value
    assert render("a$WORKER_NAME b", names) == f"a{value} b"
    assert render("%WORKER_NAME%%WORKER_NAME%", names) == value + value


def outcome(text: str) -> tuple[str, str]:
    try:
        return render(text, NAMES), ""
    except Unrenderable as error:
        return "", str(error)


SCRAPS = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", "worker", "pool", ".urls", ".url", "|join", "('x')", "|first", "|lower", "~",
     " if ", " else ", "endif", "[", "]", "(", ")", "0", "99", "'", "**", "*", "for x in ", "range", ".__class__",
     *ALIASES, "$", "%", " ", "|default(worker)", "not ", "==", "|length", "raw", "|join(attribute='url')"]
)  # fmt: skip


@settings(max_examples=300)
@given(parts=st.lists(SCRAPS | st.text(max_size=3), max_size=40), inside=st.booleans())
def test_whatever_is_written_ends_soon_and_small(parts: list[str], inside: bool) -> None:
    text = "".join(parts)
    text = "{{ " + text + " }}" if inside else text
    began = time.process_time()
    found, problem = outcome(text)
    assert len(found) <= MOST
    assert len(problem) < 1_000
    assert time.process_time() - began < 2, "bounded work"


def test_the_most_that_can_be_made_is_refused_in_time() -> None:
    """Every letter of a template as productive as it can be, and all filters upon each other."""
    names = {**NAMES, "node": {"tags": ["t" * 63] * 32}}
    began = time.process_time()
    for text in ("{{node.tags|join}}" * 220, "{{ " + "~".join(["node.tags|join"] * 30) + " }}"):
        with pytest.raises(Unrenderable, match="characters; at most"):
            render(text, names)
    with pytest.raises(Unrenderable, match="nested"):
        check("{{ node.tags" + "|lower" * 600 + " }}")
    assert time.process_time() - began < 5
