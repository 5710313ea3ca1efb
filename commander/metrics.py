"""Counters of the line, and their Prometheus text."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from commander.effects import Farm
from commander.fleet.presence import PRESENCES, presence


class Metrics:
    """Plain numbers for the hot path; turned into Prometheus figures when somebody asks."""

    def __init__(self) -> None:
        self.received = 0
        self.refused = 0
        self._registry = CollectorRegistry()
        self._commit_s = Histogram("farmhand_commit_seconds", "One transaction of the line", registry=self._registry)
        self._rows = Counter("farmhand_rows", "History rows stored", registry=self._registry)
        self._received = Gauge(
            "farmhand_messages_received", "Messages taken in since the start", registry=self._registry
        )
        self._refused = Gauge("farmhand_messages_refused", "Messages refused since the start", registry=self._registry)
        self._waiting = Gauge("farmhand_inbox_waiting", "Items waiting for the line", registry=self._registry)
        self._nodes = Gauge("farmhand_nodes", "Nodes by presence", ["presence"], registry=self._registry)
        self._alerts = Gauge("farmhand_alerts", "Alerts that stand", registry=self._registry)

    def committed(self, rows: int, seconds: float) -> None:
        """A transaction of so many history rows took so long."""
        self._rows.inc(rows)
        self._commit_s.observe(seconds)

    def text(self, farm: Farm, waiting: int, now: int) -> bytes:
        """Prometheus exposition format."""
        self._received.set(self.received)
        self._refused.set(self.refused)
        self._waiting.set(waiting)
        self._alerts.set(len(farm["alert"]))
        counts: dict[str, int] = dict.fromkeys(PRESENCES, 0)
        for node in list(farm["node"].values()):
            counts[presence(farm, node, now)] += 1
        for word, count in counts.items():
            self._nodes.labels(word).set(count)
        return generate_latest(self._registry)
