"""Enrolment by the real command at a real broker; the commander's answer is given by the test."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.certs import fingerprint, make_ca, make_server
from schema.tokens import build
from tests.sentry.rig import HouseBroker, Peer, Sentry
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker
ANSWER = {"node": "rig1", "password": "rig1", "epoch": 4}


class Enrolment:
    """`farmhand sentry enrol` as a process, and what it said."""

    def __init__(self, sentry: Sentry, url: str, *options: str, token: str = "") -> None:
        token = token or build("house", "t1", "t1")
        self.process = subprocess.Popen(
            sentry.argv("enrol", url, token, *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **sentry.place,
        )

    def end(self) -> tuple[int, str]:
        out, errors = self.process.communicate(timeout=60)
        assert errors.count("\n") <= 1, errors
        return self.process.returncode, out + errors


@pytest.fixture
def sentry(tmp_path: Path) -> Iterator[Sentry]:
    sentry = Sentry(tmp_path / "sentry")
    yield sentry
    if sentry.process is not None:
        sentry.stop()


def url(broker: HouseBroker) -> str:
    return f"mqtt://127.0.0.1:{broker.port}"


def answer(commander: Peer, **fields: Any) -> Any:
    request = commander.expect("/t1/req")
    body = json.dumps({"nonce": request["nonce"], **fields}).encode()
    commander.publish("farm/_/enrol/house/t1/res", body)
    return request


def test_a_token_makes_a_node_that_runs(sentry: Sentry, broker: HouseBroker, commander: Peer) -> None:
    enrolment = Enrolment(sentry, url(broker), "--name", "rig1", "--kind", "worker")
    request = answer(commander, **ANSWER, verify=commander.verify)
    assert request["kind"] == "worker"
    assert (request["name"], request["sign"]) == ("rig1", "ed25519")
    code, said = enrolment.end()
    assert (code, said) == (0, f"enrolled as rig1 in house; state in {sentry.state}\n")
    assert (sentry.state / "credential.json").stat().st_mode & 0o777 == 0o600
    sentry.start()
    assert commander.expect("/info")["kind"] == "worker"
    # The epoch that came with the enrolment counts from the first command on.
    commander.expect("/state", lambda word: word == "ready")
    commander.publish(*commander.command("ping", "early", epoch=3))
    assert commander.expect("/evt/refused")["field"] == "epoch"
    again = Enrolment(sentry, url(broker)).end()
    assert again[0] == 1
    assert "is enrolled already, as rig1 in house" in again[1]


def test_asking_again_is_the_same_request(sentry: Sentry, broker: HouseBroker, commander: Peer) -> None:
    first = Enrolment(sentry, url(broker), "--timeout", "1")
    nonce = commander.expect("/t1/req")["nonce"]
    code, said = first.end()
    assert code == 1
    assert "commander: did not answer within 1 s; run the same command again" in said
    second = Enrolment(sentry, url(broker))
    assert commander.expect("/t1/req")["nonce"] == nonce
    answer(commander, **ANSWER, verify=commander.verify)  # to the repetition after 2 s
    assert second.end()[0] == 0


@pytest.mark.parametrize("why", ["was used before", "expired 3 minutes ago"])
def test_the_commanders_refusal_is_shown(sentry: Sentry, broker: HouseBroker, commander: Peer, why: str) -> None:
    enrolment = Enrolment(sentry, url(broker))
    answer(commander, error=why)
    assert enrolment.end() == (1, f"farmhand: token refused: {why}\n")


def test_a_wrong_secret_is_refused_by_the_broker(sentry: Sentry, broker: HouseBroker) -> None:
    token = build("house", "t1", "wrong")
    code, said = Enrolment(sentry, url(broker), token=token).end()
    assert code == 1
    assert said.endswith("token unknown here, used already, or expired\n")


def test_a_token_that_the_broker_reads_of_a_moment_later(sentry: Sentry, broker: HouseBroker, commander: Peer) -> None:
    passwords, log = broker.folder / "passwd", broker.folder / "log"
    complete = passwords.read_text()

    def reload(text: str) -> None:
        before = log.read_text().count("Reloading config")
        passwords.write_text(text)
        broker.send(signal.SIGHUP)
        wait_until("the broker reloads", lambda: log.read_text().count("Reloading config") > before)

    reload("".join(line for line in complete.splitlines(keepends=True) if not line.startswith("t1:")))
    enrolment = Enrolment(sentry, url(broker))
    wait_until("a login is refused", lambda: "not authorised" in log.read_text())
    reload(complete)
    answer(commander, **ANSWER, verify=commander.verify)
    assert enrolment.end()[0] == 0


@pytest.mark.parametrize(
    ("address", "token", "said"),
    [
        ("http://h", "", "broker: 'http://h' must be mqtt://host:port or mqtts://host:port"),
        ("mqtt://h:99999", "", "broker: 'mqtt://h:99999' must be mqtt://"),
        ("mqtt://127.0.0.1", "abc", "token: must begin with fh1."),
        ("mqtt://127.0.0.1", "fh1.%%%", "token: is damaged: copy it again, whole"),
        ("mqtts://127.0.0.1", "", "token: has no CA fingerprint"),
    ],
)
def test_what_was_typed_wrong_is_named(sentry: Sentry, address: str, token: str, said: str) -> None:
    code, text = Enrolment(sentry, address, token=token).end()
    assert code == 1
    assert text.startswith(f"farmhand: {said}")


def test_a_kind_that_does_not_exist(sentry: Sentry) -> None:
    code, text = Enrolment(sentry, "mqtt://127.0.0.1", "--kind", "toaster").end()
    assert code == 1
    assert text.startswith("farmhand: kind: must be one of: asic, cpu-gpu")


def test_nobody_listens(sentry: Sentry) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        code, text = Enrolment(sentry, f"mqtt://127.0.0.1:{port}").end()
    assert code == 1
    assert "Connection refused" in text


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[HouseBroker, str]]:
    """A broker with TLS that shows its CA, and that CA's fingerprint."""
    ca, ca_key = make_ca("test farm")
    certificate, key = make_server(ca, ca_key, "127.0.0.1")
    broker = HouseBroker(tmp_path / "secured", "tls = true\n")
    (broker.folder / "server.pem").write_text(certificate + ca)
    (broker.folder / "server.key").write_text(key)
    broker.start()
    yield broker, fingerprint(ca)
    broker.stop()


def test_tls_trusts_the_ca_of_the_token_alone(sentry: Sentry, secured: tuple[HouseBroker, str]) -> None:
    broker, ca = secured
    address = f"mqtts://127.0.0.1:{broker.port}"
    code, text = Enrolment(sentry, address, token=build("house", "t1", "t1", "ab" * 32)).end()
    assert code == 1
    assert "none of the 2 certificates shown is the CA of the token" in text
    # The right one: the login succeeds, only nobody answers here.
    right = build("house", "t1", "t1", ca)
    code, text = Enrolment(sentry, address, "--timeout", "1", token=right).end()
    assert code == 1
    assert "commander: did not answer within 1 s" in text
    assert "BEGIN CERTIFICATE" in (sentry.state / "ca.pem").read_text()
