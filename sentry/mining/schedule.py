"""When a miner runs, by the host's clock. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from schema.message import Invalid
from schema.playbooks import DAYS

CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
Window = Mapping[str, Any]
"""WINDOW of schema/playbooks.py"""


def check_schedule(windows: Sequence[Window]) -> None:
    """Invalid unless each time is one."""
    for window in windows:
        for name in ("from", "to"):
            if not CLOCK.fullmatch(window[name]):
                raise Invalid(f"schedule.{name}", f"must be HH:MM from 00:00 to 23:59, not {window[name]!r}")


def is_open(windows: Sequence[Window], local: datetime) -> bool:
    """Whether a miner runs at ``local``: what a clock on the wall shows, without a zone. So a window whose begin the
    change to summer time skips begins right after it, and an hour that comes twice belongs to it twice."""
    return not windows or any(_is_in(window, local) for window in windows)


def _is_in(window: Window, local: datetime) -> bool:
    clock = f"{local:%H:%M}"
    begin, end = window["from"], window["to"]
    if begin < end:
        return _begins(window, local) and begin <= clock < end
    yesterday = local - timedelta(days=1)
    return (_begins(window, local) and clock >= begin) or (_begins(window, yesterday) and clock < end)


def _begins(window: Window, day: datetime) -> bool:
    return not window["days"] or DAYS[day.weekday()] in window["days"]
