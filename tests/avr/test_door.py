"""The bus of a Linux host (sentry/mining/i2c_bus.py), and the simulator's door that has the shape of SMBus."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from smbus2 import i2c_msg

from schema import i2c
from sentry.mining.i2c_bus import Bus
from sentry.mining.i2c_door import Door
from tests.avr.test_faults import cut_while_the_slave_pulls
from tests.avr.virtual import VirtualRig

STATUS = i2c.frame(i2c.STATUS)


def number(act: Callable[[], object]) -> int | None:
    with pytest.raises(OSError, match=r".") as raised:
        act()
    return raised.value.errno


def test_a_transaction_in_every_shape(rig: VirtualRig) -> None:
    door = Door("127.0.0.1", rig.port)
    whole = i2c_msg.read(11, i2c.answer_size(i2c.STATUS))
    door.i2c_rdwr(i2c_msg.write(11, STATUS), whole)
    assert i2c.unpack_status(i2c.parse(bytes(whole))[1])[0] == i2c.IDLE
    door.write_i2c_block_data(12, STATUS[0], list(STATUS[1:]))
    assert door.read_byte(12) == STATUS[0]
    assert i2c.parse(bytes(door.read_i2c_block_data(12, STATUS[0], 8)))  # S is a seed's message, too: of two bytes
    door.write_byte(13, ord("S"))
    assert bytes([door.read_byte(13)]) == b"I"
    assert number(lambda: door.i2c_rdwr(whole, whole)) == errno.EOPNOTSUPP
    door.close()
    assert number(lambda: door.read_byte(11)) == errno.ENODEV


def test_errors_have_the_numbers_of_linux_and_a_bus_held_low_is_freed(rig: VirtualRig) -> None:
    bus = rig.door()
    assert bus.scan() == [11, 12, 13]
    assert number(lambda: bus.read(20, 3)) == errno.EREMOTEIO
    cut_while_the_slave_pulls(rig)
    assert number(bus.scan) == errno.ETIMEDOUT
    assert bus.scan() == [11, 12, 13]
    rig.fault("hold_sda")  # by somebody whom clocks do not move
    assert number(lambda: bus.write(11, STATUS)) == errno.ETIMEDOUT
    assert number(bus.scan) == errno.ETIMEDOUT
    rig.fault("hold_sda", on=False)
    bus.free()
    assert bus.scan() == [11, 12, 13]


def test_a_scan_looks_only_where_slaves_may_be(rig: VirtualRig) -> None:
    bus = Bus(f"tcp://127.0.0.1:{rig.port}", (8, 12))
    bus.open()
    before = rig.ask("counters")["transactions"]
    assert bus.scan() == [12]
    assert rig.ask("counters")["transactions"] == before + 2
    bus.close()
    assert number(bus.scan) == errno.ENODEV


def test_slaves_where_a_chip_might_take_harm_are_read(start_rig: Callable[..., VirtualRig]) -> None:
    bus = start_rig(2, "--first-address", "79").door()
    assert bus.scan() == [79, 80]


@pytest.mark.parametrize(
    ("place", "wanted"),
    [("/dev/null", errno.ENOTTY), ("9999", errno.ENOENT), ("tcp://127.0.0.1:1", errno.ECONNREFUSED)],
)
def test_what_is_no_bus(place: str, wanted: int) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    bus = Bus(place, (8,))
    for _ in range(3):
        assert number(bus.open) == wanted
    assert not bus.is_open
    assert len(os.listdir("/proc/self/fd")) == before
