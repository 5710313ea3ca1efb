"""What a broker acknowledges and loses all the same comes again from the sentry's outbox, and is stored once."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import LinkedFarm
from tests.system.farm import wait_for
from tests.system.ledger import each_exactly_once, everything_stored
from tests.system.test_farm_kill import RATES, SCALE, flow

pytestmark = [pytest.mark.broker, pytest.mark.micropython]

EACH = 500  # events of each sentry, all at once: more than a queue of 100 takes
DENIED_S = 6  # a minute with FARMHAND_TEST_SCALE=10


@pytest.fixture
def tiny_queues(farm: LinkedFarm) -> Iterator[None]:
    for domain in ("barn", "house"):
        farm.options(domain, max_queued_messages=100, max_inflight_messages=20)
    yield
    for domain in ("barn", "house"):
        farm.options(domain)


def test_a_full_queue_only_delays(farm: LinkedFarm, tiny_queues: None) -> None:
    senders = [farm.sentries[name] for name in RATES]
    for load in [sentry.emit(int(EACH * SCALE), 0) for sentry in senders]:
        assert load.wait(60 * SCALE) == 0
    everything_stored(farm, senders)
    assert each_exactly_once(farm, senders) >= 3 * EACH * SCALE
    said = (farm.state / "run" / "broker-barn.log").read_text() + (farm.state / "run" / "broker-house.log").read_text()
    assert "are being dropped: its queue is full" in said, "the limit was never reached: this test proved nothing"


def test_what_an_acl_denies_comes_later(farm: LinkedFarm) -> None:
    """Mosquitto acknowledges what it denies."""
    sentry, broker = farm.sentries["barn-1"], farm.mosquitto("barn")
    acl = farm.state / "broker" / "barn" / "acl"
    before = acl.read_text()
    line = "user barn-1\n"
    denied = "".join(f"topic deny farm/barn/barn-1/+/{channel}/+\n" for channel in ("tele", "evt"))
    acl.write_text(before.replace(line, line + denied))
    os.kill(broker, signal.SIGHUP)
    mark = sentry.mark
    assert sentry.emit(500, 0).wait(60) == 0
    time.sleep(DENIED_S * SCALE)
    assert sentry.mark <= mark + 50, "nothing was denied"
    acl.write_text(before)
    os.kill(broker, signal.SIGHUP)
    everything_stored(farm, [sentry])
    assert each_exactly_once(farm, [sentry]) >= 500


def in_state(letter: str, pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == letter


@pytest.mark.parametrize("domain", ["barn", "house"])
def test_a_broker_that_forgot_everything_only_delays(farm: LinkedFarm, domain: str) -> None:
    folder, steward = farm.state / "broker" / domain, farm.pid(f"broker-{domain}")

    def wipe() -> None:
        broker = farm.mosquitto(domain)
        os.kill(steward, signal.SIGSTOP)  # else it is started again before its state is gone
        try:
            wait_for("the steward to stand still", lambda: in_state("T", steward))
            os.kill(broker, signal.SIGKILL)
            # A stopped parent cannot take note of its child's end, so the child stays as a zombie.
            wait_for("the end", lambda: in_state("Z", broker))
            (folder / "mosquitto.db").unlink(missing_ok=True)
        finally:
            os.kill(steward, signal.SIGCONT)

    flow(farm, 4 * SCALE, wipe)
    wait_for("all ready", lambda: all(farm.node(name)["presence"] == "ready" for name in (*RATES, "esp-1")))
