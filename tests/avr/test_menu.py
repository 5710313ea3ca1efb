"""The rig's menu (esp_node/mining/menu.py) with the real firmware; time moves with what is asked only."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esp_node.mining import menu
from esp_node.mining.menu_pages import HELP
from schema.errors import Invalid
from tests.avr.conftest import StartRig
from tests.avr.test_master import Mine
from tests.conftest import ROOT


def ask(mine: Mine, letter: Any, slave: Any = None, value: Any = None) -> list[str]:
    lines = menu.answer(mine.rig, letter, slave, value, mine.now_ms(), 1)
    assert lines
    assert all(0 < len(line) <= menu.WIDTH for line in lines), lines
    return lines


def refused(mine: Mine, letter: Any, slave: Any = None, value: Any = None) -> str:
    with pytest.raises(Invalid) as caught:
        ask(mine, letter, slave, value)
    return str(caught.value)


@pytest.fixture
def mine(start_rig: StartRig) -> Mine:
    mine = Mine(start_rig(2))
    assert ask(mine, "o") == ["cons 0"]
    assert ask(mine, "s") == ["cons 2", "11 R", "12 R"]
    return mine


def test_statistics_in_the_words_of_the_seed(mine: Mine) -> None:
    mine.run(mine.mined(6))
    lines = ask(mine, "i", 11)
    slave = mine.rig.slaves[11]
    assert [line.split()[0] for line in lines] == [
        "Target", "Name", "Requests", "ReqWait", "SndWait", "Ela", "Targ", "Last", "New", "Diffi",
    ]  # fmt: skip
    assert lines[0] == "Target 11  Connected True"
    assert lines[1] == "Name >I2C 11 AVR v1 16 MHz DUCOIDFA12000000000001<"
    _, elapsed, _, hashes, _, average = lines[5].split()
    assert int(average) == pytest.approx(int(hashes) * 1000 / int(elapsed), rel=0.02)
    assert lines[7:] == [f"Last {slave.latest.last}", f"New  {slave.latest.target}", "Diffi  10"]
    mine.wires.fault("flip_read", byte=1, bit=1)
    ask(mine, "q", 11)
    assert ask(mine, "i", 11)[-1] == "Faults  1"


def test_what_the_slave_says_itself(start_rig: StartRig) -> None:
    mine = Mine(start_rig(1), difficulty=1, in_hand=4)
    ask(mine, "s")
    for job in ("0", "1"):
        assert ask(mine, "t", 11) == [f"11 K, job {job}"]
    assert "job 1 runs, 2 is staged" in ask(mine, "q", 11)[0]
    assert ask(mine, "t", 11) == ["11 has no room: it hashes a job, and has one staged"]
    mine.wires.sleep(100_000)
    text = ask(mine, "w", 11)[0]
    assert text.startswith(f"job 1: {mine.answers['0'][1]}, ")
    assert ask(mine, "w", 11) == [text], "to look changes nothing"
    ask(mine, "m", 11)
    assert [job for _, job, right in mine.shares if right] == ["0"]
    mine.run(mine.mined(8))
    assert mine.all_right_and_once()
    mine.rig.slaves[11].jobs = [job for job in mine.rig.slaves[11].jobs if job.number]
    assert ask(mine, "t", 11) == ["no job waits"]
    mine.said.clear()
    ask(mine, "r", 11)
    assert mine.said == [("ready", 11)]


def test_dropped_until_it_is_taken_up_again(mine: Mine) -> None:
    mine.run(mine.mined(2))
    assert ask(mine, "d", 11) == ["11 closed"]
    assert mine.said[-1] == ("lost", 11)
    at_drop = len(mine.shares)
    mine.offer(mine.rig.slaves[11])  # one that was on its way
    mine.rig.find(mine.now_ms())  # the scan sees it, and changes nothing
    mine.run(mine.mined(at_drop + 3))
    assert {address for address, *_ in mine.shares[at_drop:]} == {12}
    assert ask(mine, "o")[1] == "11 D"
    for letter in "mtr":
        assert refused(mine, letter, 11).startswith("slave: ")
    assert ask(mine, "i", 11)[0] == "Target 11  Connected False"
    assert "after" in ask(mine, "q", 11)[0]
    assert ask(mine, "c", 11)[0] in ("11 R", "11 K")
    mine.run(lambda: mine.shares[-1][0] == 11)
    assert ask(mine, "x") == ["11 closed", "12 closed"]
    assert ask(mine, "n", value=12)[0][:3] == "12 "
    assert ask(mine, "s")[0] == "cons 2"
    mine.run(mine.mined(len(mine.shares) + 4))
    assert mine.all_right_and_once()


def test_end_looks_for_nobody(start_rig: StartRig) -> None:
    mine = Mine(start_rig(2))
    mine.wires.fault("unplug", slave=1)
    ask(mine, "s")
    ask(mine, "x")
    mine.wires.fault("plug", slave=1)
    mine.wires.sleep(11_000_000)
    mine.rig.step(mine.now_ms(), 1)
    assert ask(mine, "o") == ["cons 1", "11 D"]
    assert ask(mine, "n", value=12) == ["12 R"]
    assert ask(mine, "o") == ["cons 2", "11 D", "12 R"]


def test_new_address(mine: Mine) -> None:
    assert refused(mine, "v", 11, 12) == "value: there is something at 12 already"
    for wrong in (7, 120, "20", True, None):
        assert refused(mine, "v", 11, wrong) == "value: must be an address from 8 to 119"
    del mine.rig.slaves[12]  # as a sensor is, that is on the bus and no slave
    assert refused(mine, "v", 11, 12) == "value: there is something at 12 already"
    assert ask(mine, "v", 11, 20) == ["11 starts anew as 20"]
    assert refused(mine, "n", None, 5).startswith("value: ")
    assert ask(mine, "o") == ["cons 1", "20 D"]
    mine.run(lambda: bool(mine.shares) and mine.shares[-1][0] == 20, ms=5_000)
    assert ask(mine, "o")[-1][:2] == "20"
    assert 11 not in mine.rig.slaves
    assert ("lost", 11) in mine.said
    assert mine.all_right_and_once()


def test_a_slave_in_quarantine_is_asked_at_once(mine: Mine) -> None:
    mine.wires.fault("unplug", slave=0)
    for _ in range(5):
        assert "does not answer" in ask(mine, "m", 11)[0]
    assert ask(mine, "o")[1] == "11 D"
    assert mine.alerts[11]
    mine.offer(mine.rig.slaves[11])
    assert "does not answer" in ask(mine, "c", 11)[0]
    mine.wires.fault("plug", slave=0)
    mine.wires.sleep(50_000)
    assert ask(mine, "c", 11)[0] in ("11 R", "11 K")
    assert mine.alerts[11] is None


def test_who_is_not_there_is_not_kept(mine: Mine) -> None:
    assert "50 does not answer" in ask(mine, "n", value=50)[0]
    assert ask(mine, "o")[0] == "cons 2"


def test_every_letter_has_its_line() -> None:
    assert "".join(sorted(HELP)) == menu.LETTERS[1:]
    text = (ROOT / "docs" / "rig.md").read_text()
    assert [letter for letter in menu.LETTERS if f"\n| `{letter}` |" not in text] == []


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "ab", 1, None, *sorted(menu.LETTERS)]),
            st.sampled_from([11, 12, 13, None, True, "11"]),
            st.sampled_from([11, 12, 20, 8, 119, 120, -1, None, "12", 2.0]),
            st.sampled_from(["", "hold", "drop_ack", "flip_read"]),
        ),
        max_size=8,
    )
)
def test_any_letters_end_in_lines_or_in_a_refusal_by_field(mine: Mine, letters: list[tuple[Any, ...]]) -> None:
    for letter, slave, value, fault in letters:
        if fault == "hold":
            mine.wires.fault("hold_sda")
        elif fault:
            mine.wires.fault(fault, **({"byte": 2, "bit": 3} if fault == "flip_read" else {}))
        field = ""
        try:
            ask(mine, letter, slave, value)
        except Invalid as error:
            field = error.field
        assert field in ("", "letter", "slave", "value")
        mine.wires.fault("hold_sda", on=False)
    assert all(right for *_, right in mine.shares)
    # Whatever was asked, all of them mine on from here; what moved in spite of a fault is found where it is now.
    ask(mine, "s")
    slaves = mine.rig.slaves.values()
    mining = {slave.chip() for slave in slaves if slave.server != "D"}
    assert mining == {slave.chip() for slave in slaves if slave.identity is not None}
