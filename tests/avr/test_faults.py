"""What goes wrong on a bus, and the slave's part in getting over it."""

import pytest

from schema import i2c
from tests.avr.conftest import StartRig
from tests.avr.test_protocol import LAST
from tests.avr.virtual import BusError, VirtualRig, target


def cause(rig: VirtualRig, address: int) -> int:
    """Of the last reset."""
    return i2c.unpack_identity(rig.command(address, i2c.IDENTITY))[5]


def test_a_slave_reset_in_the_middle_of_a_job_forgets_it(rig: VirtualRig) -> None:
    causes = {"power_on": i2c.POWER_ON, "external": i2c.EXTERNAL, "brown_out": i2c.BROWN_OUT}
    rig.send_job(12, 2, LAST, target(LAST, 500), 10)
    for name, bit in causes.items():
        rig.send_job(11, 1, LAST, target(LAST, 60_000), 655)
        rig.sleep(50_000)
        assert rig.status(11)[2] == 1
        rig.fault("reset", slave=0, cause=name)
        rig.sleep(50_000)
        assert rig.status(11) == (i2c.IDLE, "\0", 0, 0, 0, 0)
        assert rig.result(11)[0] == 0
        assert cause(rig, 11) == bit
        rig.send_job(11, 3, LAST, target(LAST, 100), 1)
        assert rig.wait_result(11)[:3] == (3, True, 100)
    assert rig.wait_result(12)[:3] == (2, True, 500)


def test_a_slave_that_hangs_while_it_starts_is_reset(rig: VirtualRig) -> None:
    rig.fault("reset", slave=0)
    rig.sleep(100)  # it clears its memory
    rig.fault("hang", slave=0)
    rig.sleep(1_500_000)
    assert rig.ask("scan")["addresses"] == [12, 13]
    rig.sleep(1_000_000)
    assert cause(rig, 11) == i2c.WATCHDOG


@pytest.mark.parametrize("mhz", [16, 8])
def test_a_slave_that_hangs_is_reset_by_its_watchdog(start_rig: StartRig, mhz: int) -> None:
    rig = start_rig(2, mhz=mhz)
    for busy in (True, False):  # in the middle of a job, and asleep
        if busy:
            rig.send_job(11, 1, LAST, target(LAST, 60_000), 655)
            rig.sleep(50_000)
        before = cause(rig, 11)
        rig.fault("hang", slave=0)
        rig.send_job(12, 2, LAST, target(LAST, 500), 10)
        rig.sleep(1_500_000)
        assert cause(rig, 11) == before  # its interrupts go on, so it answers
        rig.sleep(1_000_000)
        assert rig.status(11)[:5] == (i2c.IDLE, "\0", 0, 0, 0)
        assert cause(rig, 11) == i2c.WATCHDOG
        rig.send_job(11, 3, LAST, target(LAST, 100), 1)
        assert rig.wait_result(11)[:3] == (3, True, 100)
        rig.command(11, i2c.CLEAR)
        assert rig.wait_result(12)[:3] == (2, True, 500)
        rig.command(12, i2c.CLEAR)


def test_bus_held_low(rig: VirtualRig) -> None:
    rig.send_job(11, 1, LAST, target(LAST, 900), 10)
    rig.fault("hold_sda")
    with pytest.raises(BusError, match="busy"):
        rig.status(11)
    rig.sleep(500_000)  # the slaves hash on, and renew their bus
    assert not rig.ask("clocks")["free"]
    rig.fault("hold_sda", on=False)
    assert rig.result(11)[:3] == (1, True, 900)
    assert [rig.status(address)[0] for address in (11, 12, 13)] == [i2c.COMPLETE, i2c.IDLE, i2c.IDLE]


def cut_while_the_slave_pulls(rig: VirtualRig) -> None:
    """A master that dies within a read of zeros."""
    rig.command(11, i2c.RESULT)
    for cut_us in range(300, 1500, 40):
        with pytest.raises(BusError, match="cut"):
            rig.xfer(11, read=17, cut_us=cut_us)
        with_sda_low = False
        try:
            rig.xfer(12)
        except BusError as error:
            with_sda_low = error.args[0] == "busy"
        if with_sda_low:
            return
        rig.ask("clocks")
    raise AssertionError("the slave never held SDA")


def test_nine_clocks_free_a_slave_that_waits_for_a_dead_master(rig: VirtualRig) -> None:
    cut_while_the_slave_pulls(rig)
    assert rig.ask("clocks")["free"]
    assert rig.result(11)[0] == 0
    assert rig.status(12)[0] == i2c.IDLE


def test_a_slave_lets_go_by_itself(rig: VirtualRig) -> None:
    cut_while_the_slave_pulls(rig)
    rig.sleep(200_000)
    assert rig.status(12)[0] == i2c.IDLE
    assert rig.result(11)[0] == 0


def test_dropped_acknowledge(rig: VirtualRig) -> None:
    rig.fault("drop_ack")
    with pytest.raises(BusError, match="nack"):
        rig.command(11, i2c.PACE, i2c.pack_pace(100))
    assert rig.command(11, i2c.PACE, i2c.pack_pace(100)) == i2c.pack_pace(100)


def test_a_message_that_breaks_off_changes_nothing(rig: VirtualRig) -> None:
    rig.command(11, i2c.DIFFICULTY, i2c.pack_difficulty(1))
    message = i2c.frame(i2c.LAST, i2c.pack_hash(1, bytes(20)))
    for cut_us in (150, 700, 1500, 2000):
        with pytest.raises(BusError, match="cut"):
            rig.xfer(11, message, cut_us=cut_us)
        rig.ask("clocks")
        assert rig.status(11)[2:5] == (0, 0, 0)


def test_unplugged_and_plugged_in_again(rig: VirtualRig) -> None:
    rig.fault("unplug", slave=1)
    assert rig.ask("scan")["addresses"] == [11, 13]
    rig.fault("plug", slave=1)
    rig.sleep(50_000)
    assert rig.ask("scan")["addresses"] == [11, 12, 13]


def test_polls_at_any_moment_are_answered(rig: VirtualRig) -> None:
    """Polls as fast as the bus can, all through a job and its end: no answer is half old, half new."""
    rig.send_job(11, 1, LAST, target(LAST, 150), 10)
    seen: list[tuple[str, int]] = []
    while not seen or seen[-1][0] != i2c.COMPLETE:
        state, _, running, staged, result, error = rig.status(11)
        assert (running or staged, result) in ((1, 0), (0, 1))
        assert error == 0
        seen.append((state, result))
    assert {state for state, _ in seen} == {i2c.BUSY, i2c.COMPLETE}
    assert rig.result(11)[:3] == (1, True, 150)
