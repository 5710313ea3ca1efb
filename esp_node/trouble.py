"""Alerts: what is said when a task fails. Loaded for that."""

import json

from esp_node.clock import unix_ms
from esp_node.logger import log

_ALERT_AFTER = 3  # failures in a row: one bad checksum is not worth waking anybody


def alert(node, name, text=None):
    """Raise the alert `name`, or clear it; what stands is said again after each connect."""
    told = b""
    if text is not None:
        told = json.dumps({"since": unix_ms(), "severity": "error", "text": text}).encode()
    node.alerts[name] = told
    node.send("alert", told, name)


def failed(node, task, error):
    """A task raised `error`."""
    text = "%s: %s %s" % (task.name, type(error).__name__, error)
    if task.failures in (1, 10, 100) or task.failures % 1000 == 0:
        log("error", "%s (%d times)" % (text, task.failures))
    # Not only at the third: there may have been no room for this then.
    if task.failures >= _ALERT_AFTER and not node.alerts.get(task.name):
        alert(node, task.name, text)
