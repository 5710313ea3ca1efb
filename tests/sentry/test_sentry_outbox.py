"""The outbox file: no hole, nothing twice, limits, a full disk, a restored image. Real SQLite."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from sentry.events import Event, Sender
from sentry.home import Home
from sentry.outbox import Item, Limits, Outbox
from tests.support.disk import no_file_may_grow

SENDER = Sender("farm", "house", "rig1")
WIDE = Limits(100_000, 1 << 26)


def events(count: int, text: str = "") -> list[Event]:
    return [Event("evt", "test", 5, {"n": n, "text": text}) for n in range(count)]


def opened(folder: Path, limits: Limits = WIDE, history: bool = False) -> Outbox:
    return Outbox(folder / "outbox.sqlite", SENDER, lambda: 7, limits, history)


def everything(outbox: Outbox) -> list[Item]:
    return outbox.after(0, 1 << 60, 1 << 30)


def test_events_are_numbered_and_survive_reopening(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    assert outbox.put(events(3))
    stream = outbox.figures().stream
    outbox.close()
    outbox = opened(tmp_path)
    outbox.put(events(1))
    assert [item.seq for item in everything(outbox)] == [1, 2, 3, 4]
    bodies = [json.loads(item.payload) for item in everything(outbox)]
    assert [(body["stream"], body["seq"]) for body in bodies] == [(stream, n) for n in range(1, 5)]
    assert everything(outbox)[0].topic == "farm/house/rig1/self/evt/test"
    outbox.close()


def test_the_mark_deletes_and_never_goes_back(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.put(events(10))
    outbox.advance(4)
    outbox.advance(2)
    assert [item.seq for item in everything(outbox)] == [5, 6, 7, 8, 9, 10]
    assert outbox.figures().mark == 4
    outbox.advance(10)
    assert outbox.figures().rows == outbox.figures().bytes == 0
    outbox.put(events(1))
    assert everything(outbox)[0].seq == 11
    outbox.close()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 40)),
        st.tuples(st.just("mark"), st.integers(0, 60)),
        st.tuples(st.just("reopen"), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=60)
@given(STEPS, st.integers(5, 30), st.integers(500, 5000))
def test_rows_always_cover_everything_behind_the_mark(steps: list[tuple[str, int]], rows: int, size: int) -> None:
    limits = Limits(rows, size)
    with TemporaryDirectory() as folder:
        outbox = opened(Path(folder), limits)
        for step, number in steps:
            match step:
                case "put":
                    outbox.put(events(number))
                case "mark":
                    outbox.advance(min(number, outbox.figures().next_seq - 1))
                case _:
                    outbox.close()
                    outbox = opened(Path(folder), limits)
            figures, items = outbox.figures(), everything(outbox)
            covered = [seq for item in items for seq in range(item.first, item.seq + 1)]
            # only the first row may reach below the mark: a gap that the mark has not passed yet
            assert [seq for seq in covered if seq > figures.mark] == list(range(figures.mark + 1, figures.next_seq))
            assert figures.rows == len(items) <= rows
            assert figures.bytes == sum(len(item.payload) for item in items)
            assert figures.bytes <= size + 300
        outbox.close()


def test_what_is_given_up_is_declared(tmp_path: Path) -> None:
    outbox = opened(tmp_path, Limits(100, 1 << 20))
    outbox.put(events(100))
    outbox.put(events(1))
    gap, first = everything(outbox)[:2]
    body = json.loads(gap.payload)
    assert gap.topic == "farm/house/rig1/self/evt/gap"
    assert body == {
        "ts": 7,
        "stream": outbox.figures().stream,
        "from": 1,
        "to": gap.seq,
        "why": "outbox full: the commander stored nothing",
    }
    assert first.seq == gap.seq + 1
    assert outbox.figures().dropped == gap.seq == 11
    # More is given up: the same gap grows, so there is always one at most.
    outbox.put(events(50))
    items = everything(outbox)
    assert [item.topic.endswith("gap") for item in items].count(True) == 1
    assert items[0].first == 1
    assert outbox.figures().dropped == items[0].seq
    outbox.advance(items[0].seq)
    assert everything(outbox)[0].first == items[0].seq + 1
    outbox.close()


def test_a_full_disk_keeps_events_in_memory_and_declares_the_rest(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.put(events(5))
    with no_file_may_grow(64 * 1024):
        assert not outbox.put(events(9_000, "x" * 100))
        assert outbox.problem
        assert not outbox.put(events(3_000))
        assert outbox.figures().waiting == 12_000
        assert [item.seq for item in everything(outbox)] == [1, 2, 3, 4, 5]
    assert outbox.put(events(1))
    assert not outbox.problem
    items = everything(outbox)
    gap = items[5]
    assert (gap.first, gap.seq) == (6, 2006)
    assert json.loads(gap.payload)["why"] == "disk full"
    assert [item.seq for item in items[6:]] == list(range(2007, 12_007))
    assert outbox.figures().dropped == 2001
    outbox.close()


def test_an_event_that_cannot_be_written_stops_no_other(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    bad = Event("tele", "host", 5, {"cpu": float("nan")})
    assert outbox.put([*events(1), bad, *events(1)])
    assert [item.seq for item in everything(outbox)] == [1, 2]
    assert [error.field for error in outbox.unfit] == ["cpu"]
    outbox.close()


def test_a_restored_image_begins_a_new_stream(tmp_path: Path) -> None:
    """The commander knows more of this stream than the file: numbers would be given twice."""
    outbox = opened(tmp_path, Limits(100, 1 << 20))
    outbox.put(events(130))
    outbox.advance(60)
    before = [json.loads(item.payload) for item in everything(outbox)]
    old = outbox.figures().stream
    assert outbox.advance(500)
    figures = outbox.figures()
    assert figures.stream != old
    assert (figures.mark, figures.next_seq, figures.rows) == (0, 71, 70)
    after = [json.loads(item.payload) for item in everything(outbox)]
    assert [body["seq"] for body in after] == list(range(1, 71))
    assert {body["stream"] for body in after} == {figures.stream}
    assert [body["n"] for body in after] == [body["n"] for body in before]
    outbox.close()


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    from sentry.home import Credential
    from sentry.settings import Settings

    (tmp_path / "outbox.sqlite").write_bytes(b"no database" * 1000)
    credential = Credential("mqtt://h", "farm", "house", "rig1", "worker", "p", "v")
    outbox = Home(tmp_path).outbox(credential, Settings(), lambda: 7)
    assert outbox.put(events(1))
    outbox.close()
    assert len(list(tmp_path.glob("outbox.damaged-*"))) == 1


def test_two_writers_share_one_stream(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def write(_: int) -> None:
        outbox = opened(tmp_path, history=True)
        for _ in range(20):
            outbox.put(events(10))
        outbox.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    outbox = opened(tmp_path)
    assert [item.seq for item in everything(outbox)] == list(range(1, 401))
    outbox.close()
