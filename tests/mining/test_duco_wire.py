"""Lines of the pool protocol: what is written is read again, and nothing else escapes than Malformed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.mining import duco_wire as wire
from sentry.mining.duco_tiers import LADDER, TIERS, above, below
from sentry.mining.duco_wire import JobRequest, Malformed, Result, Verdict, Version, Work

HASH = st.text("0123456789abcdef", min_size=40, max_size=40)
FIELD = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters=","), max_size=30).map(str.strip)
NAME = FIELD.filter(lambda text: text not in ("", "None"))
CHIP = st.text("0123456789ABCDEF", min_size=16, max_size=16).map("DUCOID".__add__)


@given(st.builds(Work, HASH, HASH, st.integers(1, 10**18 - 1)))
def test_work(work: Work) -> None:
    assert wire.parse_reply(wire.work_line(work).decode()) == work


@given(st.sampled_from(wire.REASONS) | NAME)
def test_verdicts(why: str) -> None:
    for verdict in (Verdict("GOOD"), Verdict("BLOCK"), Verdict("BAD", why)):
        assert wire.parse_reply(wire.verdict_line(verdict).decode()) == verdict


@given(st.builds(JobRequest, NAME, st.sampled_from(LADDER), NAME | st.just(""), FIELD))
def test_requests(request: JobRequest) -> None:
    assert wire.parse_job_request(wire.job_request_line(request).decode()) == request


@given(st.builds(Result, st.integers(0, 10**18 - 1), st.integers(0, 10**9).map(lambda n: n / 100), NAME, NAME, CHIP))
def test_results(result: Result) -> None:
    assert wire.parse_result(wire.result_line(result).decode()) == result


@given(st.text(max_size=200) | st.lists(FIELD, max_size=8).map(",".join))
def test_whatever_comes_is_a_value_or_malformed(line: str) -> None:
    for parse in (wire.parse_reply, wire.parse_job_request, wire.parse_result):
        try:
            value = parse(line)
        except Malformed:
            continue
        assert isinstance(value, Version | Work | Verdict | JobRequest | Result)


@given(FIELD, st.sampled_from("\n\r,\x00é"))
def test_what_cannot_be_a_field_is_never_written(text: str, wrong: str) -> None:
    with pytest.raises(Malformed):
        wire.job_request_line(JobRequest(f"a{text}{wrong}b"))


def test_what_official_miners_and_pools_say() -> None:
    assert wire.parse_reply("3.0") == Version("3.0")
    assert wire.parse_job_request("JOB,me,AVR") == JobRequest("me", "AVR")
    assert wire.parse_job_request("JOB,me,AVR,None,Temp:21.5*C") == JobRequest("me", "AVR", "", "Temp:21.5*C")
    assert wire.parse_job_request("JOB") == JobRequest("")
    line = "50,258.12,Official AVR Miner 4.3,rig one,DUCOID0123456789ABCDEF,1234"
    assert wire.parse_result(line) == Result(50, 258.12, "Official AVR Miner 4.3", "rig one", "DUCOID0123456789ABCDEF")
    assert wire.parse_reply("BAD,Too low starting difficulty") == Verdict("BAD", wire.TOO_LOW_START)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("x,200,m", "nonce"),
        ("-1,200,m", "nonce"),
        ("1,fast,m", "hash rate"),
        ("1,nan,m", "hash rate"),
        ("1,200", "result"),
        ("1,200,m,r,CHIP", "chip id"),
        ("1,2,3,4,5,6,7", "fields"),
        ("1,200,m" + " " * 600, "characters"),
    ],
)
def test_a_wrong_result_names_the_field(line: str, named: str) -> None:
    with pytest.raises(Malformed, match=named):
        wire.parse_result(line)


@pytest.mark.parametrize(
    "line", ["", f"{'a' * 40},{'g' * 40},1", f"{'a' * 40},{'b' * 39},1", f"{'a' * 40},{'b' * 40},0"]
)
def test_a_wrong_job_is_refused(line: str) -> None:
    with pytest.raises(Malformed):
        wire.parse_reply(line)


def test_the_ladder_has_ends_and_no_gap() -> None:
    assert above(LADDER[-1]) == LADDER[-1]
    assert below(LADDER[0]) == LADDER[0]
    for tier in LADDER[:-1]:
        assert below(above(tier)) == tier
        assert TIERS[above(tier)].least < TIERS[tier].most < TIERS[above(tier)].most
