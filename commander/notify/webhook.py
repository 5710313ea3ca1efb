"""A POST of JSON: the message `notice` as schema/fleet.py declares it, and `farm`."""

import hashlib
import hmac
import json
import time
from typing import ClassVar

from pydantic import field_validator

from commander.fleet.notices import Notice
from commander.notify import Mqtt, Output
from commander.notify_http import post, web_address


class Settings(Output):
    """``secret``: with it, the header `X-Farmhand-Signature: sha256=<hex>` holds the HMAC of the body."""

    SECRETS: ClassVar[tuple[str, ...]] = ("secret",)
    url: str
    secret: str = ""

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        return web_address(value)


def send(settings: Settings, notice: Notice, _mqtt: Mqtt) -> None:
    told = {"output": notice.notifier, "ts": int(time.time() * 1000), "severity": notice.severity}
    body = json.dumps({**told, "title": notice.title, "text": notice.text, "alerts": notice.alerts}).encode()
    headers = {"Content-Type": "application/json"}
    if settings.secret:
        signature = hmac.new(settings.secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Farmhand-Signature"] = f"sha256={signature}"
    post(settings.url, body, headers)
