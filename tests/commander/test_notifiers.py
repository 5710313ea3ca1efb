"""Alerts on their way to people, with real servers at the other end."""

import asyncio
import hashlib
import hmac
import itertools
import json
import os
import ssl
import threading
from collections.abc import Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from broker.certs import make_ca, make_server
from schema import fleet
from schema.topics import build
from tests.commander.serving import Serving
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.broker


class Hook:
    """An HTTP server that takes what is posted; `status`: what it answers."""

    def __init__(self) -> None:
        self.heard: Queue[tuple[str, dict[str, str], bytes]] = Queue()
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(hook.status)
                self.end_headers()
                hook.heard.put((self.path, dict(self.headers), body))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(PATIENCE)
        self._server.server_close()

    def next(self) -> dict[str, Any]:
        """What is told of n-1 next; there are alerts of other nodes as well."""
        while True:
            told = json.loads(self.heard.get(timeout=PATIENCE)[2])
            if "n-1" in (told.get("message") or told["text"]):
                return told


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture(scope="module")
def alerts(serving: Serving) -> Any:
    """Raises and clears alerts of a node: alerts(name, text)."""
    client = serving.machine("n-1")
    since = itertools.count(1)  # an alert that stood when an output was made is no news there; one of another time is

    def say(name: str, text: str = "", severity: str = "error") -> None:
        topic = build(fleet.ALERT, "farm", "house", "n-1", name=name)
        payload = json.dumps({"since": next(since), "severity": severity, "text": text}) if text else ""
        client.publish(topic, payload, retain=True)

    return say


def make(serving: Serving, name: str, kind: str, after_s: int = 0, **data: Any) -> None:
    body = {"kind": kind, "data": data, "after_s": after_s}
    answer = serving.admin.put(f"/api/v1/notifiers/{name}", json=body)
    assert answer.status_code == 200, answer.text
    assert serving.admin.post(f"/api/v1/notifiers/{name}/test").status_code == 200


def shown(serving: Serving, name: str) -> Any:
    return next(row for row in serving.get("/notifiers")["items"] if row["name"] == name)


def remove(serving: Serving, name: str) -> None:
    assert serving.admin.delete(f"/api/v1/notifiers/{name}").status_code == 200


def test_a_webhook_is_told_and_tried_again(serving: Serving, alerts: Any, hook: Hook) -> None:
    make(serving, "chat", "webhook", url=hook.url + "/hook?x=1", secret="s3cret")
    path, headers, body = hook.heard.get(timeout=PATIENCE)
    assert path == "/hook?x=1"
    signature = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["X-Farmhand-Signature"] == f"sha256={signature}"
    assert json.loads(body)["alerts"][0]["name"] == "test"
    hook.status = 500
    alerts("hot", "it burns")
    serving.until(lambda: shown(serving, "chat")["failed"])
    assert "HTTP 500" in shown(serving, "chat")["problem"]
    hook.next()
    hook.status = 200
    told = hook.next()
    assert (told["output"], told["severity"]) == ("chat", "error")
    assert ("raised", "it burns") in [(each["what"], each["text"]) for each in told["alerts"]]
    alerts("hot")
    assert "cleared" in [each["what"] for each in hook.next()["alerts"] if each["node"] == "n-1"]
    serving.until(lambda: shown(serving, "chat")["failed"] == 0)
    assert shown(serving, "chat")["data"]["secret"] == "***"
    remove(serving, "chat")


def test_ntfy(serving: Serving, alerts: Any, hook: Hook) -> None:
    make(serving, "phone", "ntfy", server=hook.url, topic="my-farm", token="tk_1")
    path, headers, _ = hook.heard.get(timeout=PATIENCE)
    assert (path, headers["Authorization"]) == ("/", "Bearer tk_1")
    alerts("hot", "it burns", "critical")
    told = hook.next()
    assert (told["topic"], told["title"][:13], told["priority"]) == ("my-farm", "critical: n-1", 5)
    assert "n-1: it burns" in told["message"].splitlines()
    alerts("hot")
    remove(serving, "phone")


def test_a_topic_that_readers_may_read(serving: Serving, alerts: Any) -> None:
    reader = serving.brokers.commander().subscribe("farm/_/notice/+")
    make(serving, "home", "mqtt")
    reader.expect(lambda topic, payload: topic == "farm/_/notice/home" and b"test of farmhand" in payload)
    alerts("hot", "it burns")
    reader.expect(lambda _, payload: "n-1: it burns" in json.loads(payload)["text"].splitlines())
    alerts("hot")
    remove(serving, "home")


class Inbox:
    def __init__(self) -> None:
        self.mails: Queue[Any] = Queue()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.put(envelope)
        return "250 OK"


def sockets(loop: Any) -> list[Any]:
    """Of connections that a loop has not closed yet: TLS waits for the other side's word after the last task."""
    return [each for each in list(loop._transports.values()) if each._sock is not None]


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_mail(serving: Serving, alerts: Any, security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, key = make_ca("test")
    certificate, server_key = make_server(authority, key, "localhost")
    for name, text in (("ca", authority), ("server", certificate + server_key)):
        (tmp_path / f"{name}.pem").write_text(text)
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    inbox = Inbox()
    options: dict[str, Any] = {}
    data: dict[str, Any] = {"host": "localhost", "security": security, "sender": "farm@example.org"}
    if security == "starttls":
        options = {"tls_context": context, "require_starttls": True, "auth_required": True}
        options["authenticator"] = lambda *_: AuthResult(success=True)
        data |= {"user": "farm", "password": "geheim"}
    elif security == "tls":
        options = {"ssl_context": context}
    server = Controller(inbox, hostname="localhost", port=free_ports(1)[0], **options)
    server.start()
    try:
        make(serving, "office", "email", **data, port=server.port, to=["a@example.org", "b@example.org"])
        assert inbox.mails.get(timeout=PATIENCE).rcpt_tos == ["a@example.org", "b@example.org"]
        alerts("hot", "es brennt: 90 °C")
        mail = message_from_bytes(inbox.mails.get(timeout=PATIENCE).content)
        assert mail["Subject"].startswith("farmhand: error: ")
        text: Any = mail.get_payload(decode=True)
        assert "n-1: es brennt: 90 °C" in text.decode().splitlines()
        alerts("hot")
    finally:
        wait_until("its connections are over", lambda: not asyncio.all_tasks(server.loop) and not sockets(server.loop))
        server.stop()
        remove(serving, "office")


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("pigeon", {}, "kind"),
        ("webhook", {}, "data.url"),
        ("webhook", {"url": "file:///etc/passwd"}, "data.url"),
        ("webhook", {"url": "https://example.org", "colour": "red"}, "data.colour"),
        ("ntfy", {"topic": "a b"}, "data.topic"),
        ("email", {"host": "h", "sender": "me", "to": ["a@b"]}, "data.sender"),
        ("email", {"host": "h", "sender": "a@b", "to": ["a@b\nBcc: c@d"]}, "data.to"),
        ("email", {"host": "h", "sender": "a@b", "to": []}, "data.to"),
    ],
)
def test_wrong_settings_are_named(serving: Serving, kind: str, data: Any, field: str) -> None:
    answer = serving.admin.put("/api/v1/notifiers/wrong", json={"kind": kind, "data": data})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


def test_a_test_that_fails_says_why_and_secrets_stay(serving: Serving, hook: Hook) -> None:
    put = serving.admin.put
    body = {"kind": "webhook", "data": {"url": hook.url, "secret": "s3cret"}}
    assert put("/api/v1/notifiers/chat", json=body).json()["data"]["secret"] == "***"
    hook.status = 404
    answer = serving.admin.post("/api/v1/notifiers/chat/test")
    assert (answer.status_code, answer.json()["error"]["field"]) == (502, "notifier")
    assert "HTTP 404" in answer.json()["error"]["problem"]
    hook.status = 200
    assert put("/api/v1/notifiers/chat", json={"kind": "webhook", "data": {"url": hook.url}}).status_code == 200
    hook.heard.get(timeout=PATIENCE)
    serving.admin.post("/api/v1/notifiers/chat/test")
    assert "X-Farmhand-Signature" in hook.heard.get(timeout=PATIENCE)[1]
    assert serving.admin.post("/api/v1/notifiers/none/test").status_code == 404
    remove(serving, "chat")
