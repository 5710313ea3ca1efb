"""The alerts of a sentry that stand, so that a broker which forgot them is told again."""

from collections.abc import Callable
from typing import Any

from sentry.birth import now_ms
from sentry.extras import Alarm

Alert = dict[str, Any]


class Alarms:
    """``tell(name, alert)`` publishes; None clears."""

    def __init__(self, tell: Callable[[str, Alert | None], None]) -> None:
        self._tell = tell
        self._stand: dict[str, Alert | None] = {}

    def take(self, alarm: Alarm) -> None:
        before = self._stand.get(alarm.name)
        since = before["since"] if before else now_ms()
        told = {"since": since, "severity": alarm.severity, "text": alarm.text[:512]} if alarm.text else None
        if alarm.name in self._stand and told == before:
            return
        self._stand[alarm.name] = told
        self._tell(alarm.name, told)

    def again(self) -> None:
        for name, alert in self._stand.items():
            self._tell(name, alert)
