"""What iCEFARM clients say, in the farm's words and back; and by which socket they are told what."""

from itertools import pairwise
from typing import Any

import msgpack
import pytest

from commander.boards import icefarm
from commander.boards.icefarm_post import LONGEST_S, MOST_KEPT, SETTLE_S, Post
from commander.effects import Refused
from schema import wire


def asked(**changed: Any) -> bytes:
    contents = {"files": {"a": b"1", "b": b"2"}, "batch_id": "b-1"}
    return msgpack.packb({"serial": ["E66A", "e66b"], "event": "evaluate", "contents": contents, **changed})


def test_a_request() -> None:
    (found,) = icefarm.request(asked())
    assert found.serials == ("e66a", "e66b")
    assert (found.method, found.args, found.batch) == ("evaluate", {"batch": "b-1"}, "b-1")
    assert found.files == {"a": b"1", "b": b"2"}
    assert icefarm.request(asked(serial="E66A"))[0].serials == ("e66a",)


def test_another_method_has_its_own_arguments() -> None:
    (found,) = icefarm.request(asked(event="play", contents={"pause_ms": 3}))
    assert found == icefarm.Request(("e66a", "e66b"), "play", {"pause_ms": 3}, "", {})


def test_more_files_than_a_call_may_have() -> None:
    files = {str(number): b"x" for number in range(130)}
    parts = icefarm.request(asked(contents={"files": files, "batch_id": "b"}))
    assert [len(part.files) for part in parts] == [64, 64, 2]
    assert {name for part in parts for name in part.files} == set(files)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (None, "request"),
        ("text", "request"),
        (b"", "request"),
        (b"\xc1", "request"),
        (b"\x91" * 5000, "request"),
        (msgpack.packb([1]), "request"),
        (msgpack.packb({b"serial": 1}), "request"),
        (asked(serial=[]), "serial"),
        (asked(serial=7), "serial"),
        (asked(serial=["x" * 200]), "serial"),
        (asked(event="no such"), "event"),
        (asked(contents=[]), "contents"),
        (asked(contents={"files": {"a": "text"}}), "contents.files"),
        (asked(contents={"files": {"": b""}}), "contents.files"),
        (asked(contents={"batch_id": 4}), "contents.batch_id"),
    ],
)
def test_what_is_no_request_is_refused(data: Any, field: str) -> None:
    with pytest.raises(Refused) as found:
        icefarm.request(data)
    assert found.value.field == field


@pytest.mark.parametrize(("value", "told"), [(1714285, "1714285"), (0, "0"), (0.5, 0.5), (None, None)])
def test_a_count_is_text(value: Any, told: Any) -> None:
    row = {"serial": "e66a", "batch": "b", "evaluation": "x", "value": value, "problem": ""}
    (contents,) = wire.loads(icefarm.result(row).encode())["contents"]
    assert contents == {"event": "results", "batch_id": "b", "results": [["x", told]]}


def test_a_bitstream_that_failed_is_nothing_that_could_be_a_count() -> None:
    row = {"serial": "e66a", "batch": "b", "evaluation": "x", "value": 7, "problem": "hung"}
    assert wire.loads(icefarm.result(row).encode())["contents"][0]["results"] == [["x", None]]


def test_arguments_without_a_meaning_here_are_left_out() -> None:
    given = {"flush_interval_seconds": 10, "flush_at_bitstreams_remaining": 25, "send_waveform": False, "gate": 3}
    assert icefarm.wish("x", "pulsecount", given, 1, [], None)["args"] == {"gate": 3}


def test_each_letter_goes_to_one_socket_until_it_is_acknowledged() -> None:
    post = Post()
    assert post.put("ann", "1") == []
    post.put("bob", "of bob")
    (first,) = post.join("ann", "control", 0)
    assert (first.sid, first.text) == ("control", "1")
    assert post.join("ann", "worker", 0) == []
    (second,) = post.put("ann", "2")
    assert second.sid == "worker"
    post.acknowledged("ann", first.number)
    assert post.leave("control") == []
    assert post.leave("worker") == []
    assert [each.text for each in post.join("ann", "later", 1)] == ["2"]
    post.acknowledged("ann", second.number)
    assert post.leave("later") == []
    assert post.join("ann", "last", 2) == []


def test_a_socket_may_ask_before_it_can_be_told() -> None:
    post = Post()
    post.know("ann", "early")
    assert post.name_of("early") == "ann"
    assert post.put("ann", "1") == []
    assert [each.text for each in post.join("ann", "early", 0)] == ["1"]
    post.know("ann", "gone")
    assert post.leave("gone") == []
    assert post.name_of("gone") == ""


def test_what_a_closed_socket_did_not_acknowledge_goes_to_the_other() -> None:
    post = Post()
    post.join("ann", "control", 0)
    post.join("ann", "worker", 0)
    post.put("ann", "1")
    assert [(each.sid, each.text) for each in post.leave("worker")] == [("control", "1")]
    assert post.leave("unknown") == []


def test_what_makes_a_client_close_a_socket_goes_by_the_other() -> None:
    post = Post()
    post.join("ann", "control", 0)
    post.join("ann", "worker", 0)
    assert [each.sid for each in post.put("ann", "bye", parting=True)] == ["control"]


def test_letters_are_bounded_and_the_oldest_go() -> None:
    post = Post()
    for number in range(MOST_KEPT + 5):
        post.put("ann", str(number))
    kept = [each.text for each in post.join("ann", "s", 0)]
    assert (len(kept), kept[0], kept[-1]) == (MOST_KEPT, "5", str(MOST_KEPT + 4))


def test_a_beginning_is_told_after_a_while_and_again_until_it_was_heard() -> None:
    post = Post()
    post.announce("ann", "e66a")
    assert post.due(100) == []
    post.join("ann", "s", 100)
    assert post.due(100 + SETTLE_S / 2) == []
    times = [at / 4 for at in range(400, 1200) if post.due(at / 4)]
    assert times[0] == 100 + SETTLE_S
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[:3] == [1, 2, 4]
    assert max(pauses) == LONGEST_S
    post.hush("ann", ["e66a"])
    assert post.due(1000) == []


def test_clients_that_are_gone_and_unknown_are_forgotten() -> None:
    post = Post()
    for name in ("ann", "bob", "eve"):
        post.put(name, "x")
    post.join("bob", "s", 0)
    post.forget({"ann"})
    assert set(post.clients) == {"ann", "bob"}


def test_what_a_state_tells_is_as_flat_as_its_client_reads_it() -> None:
    told = wire.loads(icefarm.told("e66a", "results", {"data": "hello!", "event": "other"}).encode())
    assert told == {"serial": "e66a", "contents": [{"event": "results", "data": "hello!"}]}
