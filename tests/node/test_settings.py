"""Settings by document, in a live node: on trial, kept over a restart, refused, rolled back."""

from typing import Any

from schema import fleet
from tests.node.rig import SELF, Broker, Peer, Start, credential_config
from tests.support.waiting import PATIENCE


def test_settings_apply_survive_a_restart_and_are_refused_when_wrong(broker: Broker, peer: Peer, start: Start) -> None:
    node = start(credential_config(broker.port))
    topic = SELF + "desired/settings"

    def desire(rev: int, data: Any, status: str) -> Any:
        peer.publish(topic, peer.sealed(fleet.DESIRED, topic, {"rev": rev, "epoch": 5, "data": data}), True)
        return peer.wait("reported/settings", lambda answer: answer["rev"] == rev and answer["status"] == status)

    assert desire(1, {"interval_s": 0.3, "sensors": {"load": False}}, "applied")["data"] == {
        "interval_s": 0.3, "sensors": {"load": False, "connectivity": True}, "streams": [],
    }  # fmt: skip
    peer.wait("self/info", lambda info: info["sensors"] == ["connectivity"] and "load" not in info["parts"])
    assert desire(2, {"sensors": {"laod": True}}, "refused")["error"].startswith("sensors.laod: unknown sensor")
    error = desire(3, {"sensors": {"load": {"pin": 4}}}, "refused")["error"]
    assert error.startswith("sensors.load.pin: "), error
    assert peer.wait("tele/connectivity", since=len(peer.heard)) is not None  # what was in force is in force again
    assert desire(4, {"interval_s": 0.4}, "applied")["data"]["sensors"] == {"load": True, "connectivity": True}
    count = len(peer.heard)
    peer.command(SELF + "cmd/restart", "r1")
    peer.wait("ack/r1")
    assert node.process.wait(PATIENCE) == 5
    node.start()
    assert peer.wait("reported/settings", since=count)["data"]["interval_s"] == 0.4
    peer.command(SELF + "cmd/restart", "r1")  # replayed: what was seen survives the restart, too
    peer.wait("evt/refused", lambda data: "used before" in data["problem"], since=count)
    assert node.process.poll() is None


def test_settings_are_rolled_back_when_the_node_does_not_come_back(broker: Broker, peer: Peer, start: Start) -> None:
    node = start({**credential_config(broker.port), "heartbeat_s": 60})
    topic = SELF + "desired/settings"
    document = {"rev": 1, "epoch": 5, "data": {"interval_s": 0.3, "sensors": {"load": False}}}
    peer.publish(topic, peer.sealed(fleet.DESIRED, topic, document), True)
    assert peer.wait("reported/settings", lambda answer: answer["rev"] == 1)["status"] == "pending"
    node.stop()  # before any heartbeat has proved them
    count = len(peer.heard)
    node.start()
    answer = peer.wait("reported/settings", lambda answer: answer["status"] == "failed", since=count)
    assert answer["rev"] == 1
    assert "did not come back" in answer["error"]
    assert answer["data"]["sensors"] == {"load": True, "connectivity": True}
    assert "load" in peer.wait("self/info", since=count)["parts"]
