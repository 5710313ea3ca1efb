"""What a sentry says of itself at its birth."""

import platform
import time
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from schema.fleet import SCHEMA_VERSION
from schema.message import MAX_PAYLOAD
from sentry.settings import Settings

Units = Mapping[str, str]

HEARTBEAT: Units = {
    "uptime_s": "s", "queue": "", "dropped": "", "refused": "", "reconnects": "", "resent": "",
    "window": "",
}  # fmt: skip
FIRST_TRUE_YEAR = 1_704_067_200_000  # 2024, ms: a clock before that was never set


@cache
def software() -> str:
    try:
        return f"farmhand {version('farmhand')}"
    except PackageNotFoundError:
        return "farmhand"


@cache
def hardware() -> str:
    return f"{platform.system()} {platform.release()} {platform.machine()}"[:128]


def now_ms() -> int:
    """Milliseconds since 1970, 0 while the host's clock is not set."""
    now = time.time_ns() // 1_000_000
    return now if now >= FIRST_TRUE_YEAR else 0


def birth(boot: str, kind: str, heartbeat_s: float, parts: Mapping[str, Units], settings: Settings) -> dict[str, Any]:
    """The `info` message; ``parts``: telemetry part -> field -> unit."""
    return {
        "schema": SCHEMA_VERSION,
        "boot": boot,
        "kind": kind,
        "software": software(),
        "hardware": hardware(),
        "alive_ms": max(100, int(heartbeat_s * 2500)),
        "parts": {"node": HEARTBEAT, **parts},
        "hears_marks": settings.hears_marks,
        "clock": "set" if now_ms() else "unset",
        "limits": {
            "queue_rows": settings.queue_rows,
            "queue_bytes": settings.queue_bytes,
            "payload": MAX_PAYLOAD,
        },
    }
