"""kill -9 of each part, and a cut link, while 500 events/s cross the bridge: every event is stored once."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.system.conftest import LinkedFarm
from tests.system.farm import wait_for
from tests.system.ledger import each_exactly_once, everything_stored, stream_without_holes

pytestmark = [pytest.mark.broker, pytest.mark.micropython]

# FARMHAND_TEST_SCALE=10 makes each load ten times as long.
SCALE = float(os.environ.get("FARMHAND_TEST_SCALE", "1"))
RATES = {"host": 100, "barn-1": 200, "barn-2": 200}  # events a second
CUT_S = 20


def flow(farm: LinkedFarm, seconds: float, hurt: Callable[[], None]) -> None:
    """500 events/s for so long; `hurt` is called in the middle of it. Then compare everything."""
    senders = [farm.sentries[name] for name in RATES]
    begin = {sentry.name: sentry.last for sentry in senders}
    loads = [sentry.emit(int(RATES[sentry.name] * seconds), RATES[sentry.name]) for sentry in senders]
    for sentry in senders:
        third = begin[sentry.name] + RATES[sentry.name]
        wait_for(f"{sentry.name} flows", lambda sentry=sentry, third=third: sentry.mark >= third)
    hurt()
    for load in loads:
        assert load.wait(60 + seconds) == 0
    everything_stored(farm, senders)
    assert each_exactly_once(farm, senders) >= 500 * int(seconds)
    assert stream_without_holes(farm, "esp-1")


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def kill_sentries(farm: LinkedFarm) -> None:
    kill(farm.pid("sentry"))  # `up` starts it again
    farm.sentries["barn-1"].kill()
    farm.sentries["barn-1"].start()


KILLS: dict[str, Callable[[LinkedFarm], None]] = {
    "broker of house": lambda farm: kill(farm.mosquitto("house")),
    "broker of barn": lambda farm: kill(farm.mosquitto("barn")),
    "commander": lambda farm: kill(farm.pid("commander")),
    "sentries": kill_sentries,
}


@pytest.mark.parametrize("part", KILLS)
def test_after_kill_9_every_event_is_stored_once(farm: LinkedFarm, part: str) -> None:
    flow(farm, 4 * SCALE, lambda: KILLS[part](farm))
    wait_for("all ready", lambda: all(farm.node(name)["presence"] == "ready" for name in (*RATES, "esp-1")))


def test_a_cut_link_delays_and_loses_nothing(farm: LinkedFarm) -> None:
    def cut() -> None:
        farm.relay.cut()
        ends = time.monotonic() + CUT_S * SCALE
        wait_for("barn-1 not reachable", lambda: farm.node("barn-1")["presence"] == "unreachable")
        assert farm.node("host")["presence"] == "ready"
        time.sleep(max(0.0, ends - time.monotonic()))
        farm.relay.join()

    flow(farm, (CUT_S + 3) * SCALE, cut)
    wait_for("all ready", lambda: all(farm.node(name)["presence"] == "ready" for name in (*RATES, "esp-1")))
