"""A gateway whose rights or settings are wrong, or come later."""

import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from broker.passwords import hashed
from broker.users import User
from tests.mining.conftest import USERS
from tests.mining.rig import Node, PoolSentry
from tests.sentry.rig import HouseBroker, Peer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker

Make = Callable[..., Any]


def test_rights_that_are_granted_later(
    make_pool: Make, make_gateway: Make, make_node: Make, broker: HouseBroker
) -> None:
    node, gateway = USERS
    commander = User("commander", hashed("commander"), "commander")
    broker.know([replace(gateway, grants=()), node, commander])
    broker.send(signal.SIGHUP)
    miner: Node = make_node(2)
    sentry = make_gateway(make_pool())
    wait_until("the gateway's connection", lambda: "connected to" in sentry.log())
    assert not miner.offered()
    broker.know([gateway, node, commander])
    broker.send(signal.SIGHUP)
    # One of them speaks as soon as it is heard; the other has said all before.
    early, late = miner.devices["avr-8"], miner.devices["avr-9"]
    wait_until("a job", lambda: miner.say("ready", "avr-9") or late.offered)
    wait_until("a job for the other", lambda: early.offered)
    miner.judged(2)


def test_settings_that_no_longer_name_a_node(
    make_pool: Make, make_gateway: Make, make_node: Make, commander: Peer
) -> None:
    node = make_node(1, hashrate=0.001)
    gateway: PoolSentry = make_gateway(make_pool())
    wait_until("a job", node.offered)
    gateway.stop()
    gateway.pool = {}
    gateway.start()
    commander.expect("/rig1/self/state", lambda word: word == "ready")
    node.share("avr-8", "d-1", 7)
    commander.expect("/avr-8/job/share", lambda data: data["id"] == "d-1")
    commander.publish(*commander.command("ping", "c-1"))
    commander.expect("/rig1/self/ack/c-1", lambda data: data["status"] == "done")  # it has heard the share by now
    gateway.stop()
    assert not gateway.rows("SELECT topic FROM queue WHERE topic LIKE '%/evt/refused'")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nodes", "esp 1"),
        ("nodes", "a/b/c"),
        ("servers", "pool.example"),
        ("tier", "SUPER"),
        ("user", "me,you"),
        ("key", "a,b"),
        ("connections", "3"),
    ],
)
def test_wrong_settings_are_named(make_gateway: Make, name: str, value: str) -> None:
    gateway: PoolSentry = make_gateway(**{name: value})
    assert gateway.process is not None
    assert gateway.process.wait(30) == 1
    assert f"farmhand: FARMHAND_POOL_{name.upper()}: " in gateway.log()
