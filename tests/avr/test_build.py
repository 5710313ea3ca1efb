"""The build's limits and variants, and the simulator's process."""

import subprocess
import time
from pathlib import Path

import pytest

from schema import i2c
from tests.avr.test_protocol import LAST
from tests.avr.virtual import VirtualRig, target
from tests.conftest import ROOT
from tests.support.waiting import wait_until

STATIC_END, RAM_END = 0x480, 0x900
STACK_RESERVE = 256  # bytes that no run has touched


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "-C", ROOT / "avr", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("limit", ["FLASH_LIMIT=28000", "RAM_LIMIT=800"])
def test_a_firmware_that_is_too_large_is_not_built(built: Path, tmp_path: Path, limit: str) -> None:
    elf = tmp_path / "slave-16.elf"
    assert make(f"BUILD={tmp_path}", limit, str(elf)).returncode != 0
    assert not elf.exists()


def test_the_portable_kernel_in_the_firmware(built: Path, tmp_path: Path) -> None:
    elf = tmp_path / "slave-16.elf"
    made = make(f"BUILD={tmp_path}", "KERNEL=portable", str(elf))
    assert made.returncode == 0, made.stderr
    rig = VirtualRig(elf, 1)
    try:
        rig.send_job(11, 1, LAST, target(LAST, 57), 1)
        assert rig.wait_result(11)[:3] == (1, True, 57)
    finally:
        rig.close()


def test_the_stack_has_room(built: Path) -> None:
    """After jobs with a hit in each length of nonce, and polls all the while; RAM is zero where nobody wrote."""
    rig = VirtualRig(built / "slave-16.elf", 1)
    try:
        for job, nonce in enumerate((5, 55, 555, 5555, 10_055), 1):
            rig.send_job(11, job, LAST, target(LAST, nonce), 655)
            rig.wait_result(11, 20_000)
            rig.command(11, i2c.CLEAR)
        memory = bytes.fromhex(rig.ask("peek", slave=0, at=STATIC_END, size=RAM_END - STATIC_END)["data"])
    finally:
        rig.close()
    untouched = len(memory) - len(memory.lstrip(b"\0"))
    assert untouched >= STACK_RESERVE
    assert any(memory[untouched:])


def test_simulated_time_follows_the_clock_on_the_wall(built: Path) -> None:
    rig = VirtualRig(built / "slave-16.elf", 1, speed=1)
    try:
        began, first = time.monotonic(), rig.now_us()
        wait_until("simulated time to pass", lambda: rig.now_us() - first > 200_000)
        assert time.monotonic() - began >= 0.15
    finally:
        rig.close()


def test_simulated_time_as_fast_as_it_can(built: Path) -> None:
    rig = VirtualRig(built / "slave-16.elf", 1, speed=1000)
    try:
        wait_until("simulated time to pass", lambda: rig.now_us() > 20_000_000)
    finally:
        rig.close()


def test_a_wrong_request_is_answered(built: Path) -> None:
    rig = VirtualRig(built / "slave-16.elf", 1)
    try:
        for request in ({"op": "xfre"}, {"op": "xfer"}, {"op": "fault", "kind": "x"}, {"op": "xfer", "address": "a"}):
            answer = rig.ask(**request)
            assert (answer["ok"], answer["error"]) == (False, "request")
        assert rig.ask("counters")["transactions"] == 0
        assert rig.ask("slaves")["slaves"] == [{"plugged": True, "state": "sleeping"}]
    finally:
        rig.close()
