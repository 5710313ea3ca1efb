"""ntfy (ntfy.sh or one's own server): a POST of JSON to the server's root, as its documentation calls publishing as
JSON. Priorities are 1 to 5."""

import json
from typing import ClassVar

from pydantic import Field, field_validator

from commander.fleet.notices import Notice
from commander.notify import Mqtt, Output
from commander.notify_http import post, web_address

PRIORITIES = {"info": 2, "warning": 3, "error": 4, "critical": 5}
TAGS = {"info": "information_source", "warning": "warning", "error": "rotating_light", "critical": "rotating_light"}


class Settings(Output):
    """``server``: its root; ``token``: an access token, when it asks for one."""

    SECRETS: ClassVar[tuple[str, ...]] = ("token",)
    server: str = "https://ntfy.sh"
    topic: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    token: str = ""

    @field_validator("server")
    @classmethod
    def _server(cls, value: str) -> str:
        return web_address(value)


def send(settings: Settings, notice: Notice, _mqtt: Mqtt) -> None:
    body = {
        "topic": settings.topic,
        "title": notice.title,
        "message": notice.text,
        "priority": PRIORITIES[notice.severity],
        "tags": [TAGS[notice.severity]],
    }
    headers = {"Content-Type": "application/json"}
    if settings.token:
        headers["Authorization"] = f"Bearer {settings.token}"
    post(settings.server.rstrip("/") + "/", json.dumps(body).encode(), headers)
