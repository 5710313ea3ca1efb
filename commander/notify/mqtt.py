"""The home broker: message `notice` on `<root>/_/notice/<name of the output>`, which every reader may read."""

import time

from commander.fleet.notices import Notice
from commander.notify import Mqtt, Output


class Settings(Output):
    """It has none."""


def send(_settings: Settings, notice: Notice, mqtt: Mqtt) -> None:
    told = {"ts": int(time.time() * 1000), "severity": notice.severity, "title": notice.title, "text": notice.text}
    mqtt(notice.notifier, {**told, "alerts": notice.alerts[:100]})
