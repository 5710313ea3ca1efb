"""How a host becomes a node: it redeems a token and keeps what it is given."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from schema import tokens
from schema.fleet import ENROL_REQ, ENROL_RES
from schema.message import Invalid
from schema.topics import build
from schema.wire import decode, encode
from sentry.birth import hardware, software
from sentry.errors import EnrolFailed
from sentry.home import Credential, Home, parse_broker
from sentry.mqtt_edge import Arrived, Connected, Ended, Input, Link, Login
from sentry.pin import fetch_ca

REPEAT_S = 2
LOGIN_S = 5  # a broker may not have read of a new token yet
LOGIN_AGAIN_S = 0.5


class LoginRefused(EnrolFailed):
    """The broker does not know the token."""


@dataclass(frozen=True, slots=True)
class Wish:
    """``name``: the id wished for, or "" to leave it to the commander."""

    url: str
    token: str
    kind: str = "cpu-gpu"
    name: str = ""
    root: str = "farm"


def enrol(home: Home, wish: Wish, timeout_s: float = 30) -> Credential:
    """Redeem the token and keep the credential; EnrolFailed says in one line why not."""
    home.create()
    if home.read("credential.json") is not None:
        known = home.credential()
        raise EnrolFailed(f"{home.path}: is enrolled already, as {known.node} in {known.domain}")
    broker = parse_broker(wish.url)
    try:
        domain, token, secret, fingerprint = tokens.parse(wish.token.strip())
    except Invalid as error:
        raise EnrolFailed(str(error)) from None
    if broker.tls:
        home.write_bytes("ca.pem", fetch_ca(broker.host, broker.port, fingerprint).encode())
    login = Login(broker, token, secret, f"enrol-{token}", home.ca, persistent=False)
    answer = _ask(login, domain, wish.root, _request(home, wish, token), timeout_s)
    credential = _credential(wish, domain, answer)
    home.keep(credential)
    if "epoch" in answer:
        home.write("memory.json", {"epoch": answer["epoch"]})
    (home.path / "enrol.json").unlink(missing_ok=True)
    return credential


def _request(home: Home, wish: Wish, token_id: str) -> dict[str, Any]:
    """The nonce is kept: asking again after a crash is the same request to the commander."""
    kept = home.read("enrol.json")
    if kept is None or kept.get("token") != token_id:
        kept = {"token": token_id, "nonce": secrets.token_hex(12)}
        home.write("enrol.json", kept)
    request = {
        "nonce": kept["nonce"],
        "kind": wish.kind,
        "software": software(),
        "hardware": hardware(),
        "sign": "ed25519",
    }
    return request | ({"name": wish.name} if wish.name else {})


def _ask(login: Login, domain: str, root: str, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    try:
        asked = build(ENROL_REQ, root, domain, login.user)
        answered = build(ENROL_RES, root, domain, login.user)
        payload = encode(ENROL_REQ, request)
    except Invalid as error:
        raise EnrolFailed(str(error)) from None
    refused_at_last = time.monotonic() + min(LOGIN_S, timeout_s)
    while True:
        inbox: SimpleQueue[Input] = SimpleQueue()
        link = Link(1, login, [answered], None, inbox.put)
        link.open()
        try:
            return _wait(inbox, partial(link.publish, asked, payload, 1, False), request, timeout_s)
        except LoginRefused:
            if time.monotonic() + LOGIN_AGAIN_S > refused_at_last:
                raise
        finally:
            link.close(None, 1)
        time.sleep(LOGIN_AGAIN_S)


def _wait(
    inbox: SimpleQueue[Input],
    ask: Callable[[], object],
    request: dict[str, Any],
    timeout_s: float,
) -> dict[str, Any]:
    end = time.monotonic() + timeout_s
    connected = False
    while (left := end - time.monotonic()) > 0:
        try:
            happened = inbox.get(timeout=min(left, REPEAT_S))
        except Empty:
            if connected:
                ask()
            continue
        match happened:
            case Connected():
                connected = True
                ask()
            case Ended(refused=True, reason=reason):
                raise LoginRefused(f"{reason}: token unknown here, used already, or expired")
            case Ended(reason=reason):
                raise EnrolFailed(reason)
            case Arrived(heard=heard):
                try:
                    answer = decode(ENROL_RES, heard.payload)
                except Invalid as error:
                    raise EnrolFailed(f"answer of the commander: {error}") from None
                if answer["nonce"] == request["nonce"]:
                    return answer
    if not connected:
        raise EnrolFailed(f"broker: did not answer within {timeout_s:g} s")
    raise EnrolFailed(
        f"commander: did not answer within {timeout_s:g} s; run the same command again, the token is not lost"
    )


def _credential(wish: Wish, domain: str, answer: dict[str, Any]) -> Credential:
    if "error" in answer:
        raise EnrolFailed(f"token refused: {answer['error']}")
    missing = [name for name in ("node", "password", "verify") if name not in answer]
    if missing:
        raise EnrolFailed(f"answer of the commander: {missing[0]} is missing")
    return Credential(
        broker=wish.url,
        root=wish.root,
        domain=domain,
        node=answer["node"],
        kind=wish.kind,
        password=answer["password"],
        verify=answer["verify"],
    )
