"""What Mosquitto says of itself, in its log and below $SYS, turned into values. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MINUTE_MS = 60_000
MAX_CLIENTS = 1000


@dataclass(frozen=True)
class Running:
    """The broker listens."""


@dataclass(frozen=True)
class Reloading:
    """It reads the password and ACL files, and lets nobody in before it is done."""


@dataclass(frozen=True)
class Refused:
    """A login was turned away. ``client`` is "unknown" where Mosquitto does not tell (2.0)."""

    client: str
    address: str


@dataclass(frozen=True)
class Dropping:
    """Messages to ``client`` are being thrown away: its queue is full."""

    client: str


Finding = Running | Reloading | Refused | Dropping

_NEW = re.compile(r"New connection from (\S+?):\d+ on port ")
_REFUSED = re.compile(r"Client (.+?)(?: \[(\S+?):\d+\])? disconnected, not authorised\.")
_DROPPING = re.compile(r"Outgoing messages are being dropped for client (.+)\.")


class LogReader:
    """Finds what matters in Mosquitto's log, one line after the other."""

    def __init__(self) -> None:
        self._address = ""

    def read(self, line: str) -> Finding | None:
        if new := _NEW.match(line):
            # Mosquitto 2.0 names no address where it refuses; it is the one that came last.
            self._address = new[1]
        elif refused := _REFUSED.match(line):
            client = "unknown" if refused[1] == "<unknown>" else refused[1]
            return Refused(client[:256], (refused[2] or self._address)[:64])
        elif dropping := _DROPPING.match(line):
            return Dropping(dropping[1])
        elif line == "Reloading config.":
            return Reloading()
        elif line.startswith("mosquitto version") and line.endswith("running"):
            return Running()
        return None


class RefusalCounter:
    """Counts refusals per client and address, and lets one report of each pass per minute."""

    def __init__(self) -> None:
        self._waiting: dict[Refused, tuple[int, int]] = {}  # -> (next report at ms, count)

    def note(self, refused: Refused) -> None:
        if refused not in self._waiting and len(self._waiting) >= MAX_CLIENTS:
            refused = Refused("others", "")
        at, count = self._waiting.get(refused, (0, 0))
        self._waiting[refused] = (at, count + 1)

    def due(self, now: int) -> list[tuple[Refused, int]]:
        """(who, how often) to report at ``now`` (ms); who was quiet for a minute is forgotten."""
        reports: list[tuple[Refused, int]] = []
        for refused, (at, count) in list(self._waiting.items()):
            if now < at:
                continue
            if count:
                reports.append((refused, min(count, 1_000_000)))
                self._waiting[refused] = (now + MINUTE_MS, 0)
            else:
                del self._waiting[refused]
        return reports


# field -> ($SYS topic below $SYS/broker/, divisor, unit)
_FIGURES: Mapping[str, tuple[str, int, str]] = {
    "clients": ("clients/connected", 1, ""),
    "sessions": ("clients/total", 1, ""),
    "in": ("load/publish/received/1min", 60, "1/s"),
    "out": ("load/publish/sent/1min", 60, "1/s"),
    "dropped": ("publish/messages/dropped", 1, ""),
    "retained": ("retained messages/count", 1, ""),
    "stored": ("store/messages/count", 1, ""),
    "stored_bytes": ("store/messages/bytes", 1, "B"),
    "heap": ("heap/current", 1, "B"),
}
SYS_FILTERS = tuple(f"$SYS/broker/{topic}" for topic, _, _ in _FIGURES.values())
PARTS: Mapping[str, Mapping[str, str]] = {
    "broker": {field: unit for field, (_, _, unit) in _FIGURES.items()},
    "bridge": {"connected": "", "since": "ms"},
}


def broker_figures(values: Mapping[str, str]) -> dict[str, int | float]:
    """Telemetry `broker` from ``values``, $SYS topic -> text; without what is not said there."""
    figures: dict[str, int | float] = {}
    for field, (topic, divisor, _) in _FIGURES.items():
        try:
            value = float(values[f"$SYS/broker/{topic}"])
        except (KeyError, ValueError):
            continue
        figures[field] = int(value) if divisor == 1 else round(value / divisor, 3)
    return figures
