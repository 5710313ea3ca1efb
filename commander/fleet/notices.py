"""Which alerts are to be told where. Pure: what was told is kept, so nothing is told twice and nothing forgotten."""

from typing import Any, NamedTuple

from commander.effects import Effects, Farm, Put, Row

SEVERITIES = ("info", "warning", "error", "critical")
MOST_LINES = 20
COLUMNS = ("node", "device", "name", "since", "severity", "text")


class Notice(NamedTuple):
    """What one output is told at once: `alerts` are {what: raised|cleared, node, device, name, severity, text, since},
    of which `text` shows the first.
    """

    notifier: str
    severity: str
    title: str
    text: str
    alerts: list[Row]
    told: Effects  # to be applied when it was told


def due(farm: Farm, now: int) -> list[Notice]:
    """One notice for each output that has something to tell."""
    return [notice for row in list(farm["notifier"].values()) if (notice := _of_one(farm, row, now))]


def example(notifier: str, now: int) -> Notice:
    """A notice to try an output with."""
    row = {"node": "test", "device": "self", "name": "test", "since": now, "severity": "info"}
    return _notice(notifier, [{"what": "raised", **row, "text": "This is a test of farmhand's notifications."}], [])


def _of_one(farm: Farm, notifier: Row, now: int) -> Notice | None:
    name, least = notifier["name"], SEVERITIES.index(notifier["severity"])
    before = {key[1:]: row for key, row in list(farm["notified"].items()) if key[0] == name}
    stand = {key: row for key, row in list(farm["alert"].items()) if SEVERITIES.index(row["severity"]) >= least}
    alerts: list[Row] = []
    told: Effects = []
    for key, row in stand.items():
        if now - row["since"] >= notifier["after_s"] * 1000 and _is_news(before.get(key), row):
            shown = {column: row[column] for column in COLUMNS}
            alerts.append({"what": "raised", **shown})
            told.append(Put("notified", (name, *key), {"notifier": name, **shown}))
    for key, row in before.items():
        if key not in stand:
            alerts.append({"what": "cleared", **{column: row[column] for column in COLUMNS}})
            told.append(Put("notified", (name, *key), None))
    return _notice(name, alerts, told) if alerts else None


def _is_news(told: Row | None, row: Row) -> bool:
    if told is None or told["since"] != row["since"]:
        return True
    return SEVERITIES.index(row["severity"]) > SEVERITIES.index(told["severity"])


def _notice(notifier: str, alerts: list[Row], told: Effects) -> Notice:
    alerts.sort(key=lambda each: (each["what"] == "cleared", -SEVERITIES.index(each["severity"]), each["since"]))
    raised = [each for each in alerts if each["what"] == "raised"]
    severity = max((each["severity"] for each in raised), key=SEVERITIES.index, default="info")
    first = alerts[0]
    title = f"{first['severity'] if raised else 'cleared'}: {_place(first)}"
    if len(alerts) > 1:
        title += f" and {len(alerts) - 1} more"
    lines = [f"{'cleared: ' if each['what'] == 'cleared' else ''}{_place(each)}: {each['text']}" for each in alerts]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"... and {len(alerts) - MOST_LINES} more"]
    return Notice(notifier, severity, title[:200], "\n".join(lines)[:4000], alerts, told)


def _place(alert: dict[str, Any]) -> str:
    node, device = alert["node"], alert["device"]
    return node if device == "self" else f"{node}/{device}"
