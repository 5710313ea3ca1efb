"""What any miner or ASIC says of itself, in one form, whatever it calls it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sentry.reading import Reading, Scalar

MOST_ALGORITHMS, MOST_CARDS = 4, 64
STATES = ("online", "inactive", "idle", "offline")
UNITS = {
    "hashrate": "H/s", "hashrate_2": "H/s", "expected": "H/s", "power": "W", "power_limit": "W", "uptime_s": "s",
    "temp": "°C", "mem_temp": "°C", "fan": "%", "fan_rpm": "rpm", "core_mhz": "MHz", "mem_mhz": "MHz",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Algorithm:
    """``hashrate``: H/s, or None until the miner knows it. Shares are counted since the miner's start."""

    name: str
    hashrate: float | None
    accepted: int | None = None
    rejected: int | None = None
    stale: int | None = None
    invalid: int | None = None
    pool: str = ""
    user: str = ""
    difficulty: float | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU, a hash board, or the processor: H/s, °C, %, rpm, W, MHz; None: it does not say."""

    name: str = ""
    hashrate: float | None = None
    hashrate_2: float | None = None
    temp: float | None = None
    mem_temp: float | None = None
    fan: float | None = None
    fan_rpm: float | None = None
    power: float | None = None
    core_mhz: float | None = None
    mem_mhz: float | None = None
    accepted: int | None = None
    rejected: int | None = None
    bus: str = ""
    processor: bool = False
    """It is the processor, not a card that a rig could miss."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at a miner. ``power``: W of all cards when it says so; ``uptime_s``: since its start."""

    software: str
    version: str = ""
    uptime_s: int | None = None
    algorithms: tuple[Algorithm, ...] = ()
    cards: tuple[Card, ...] = ()
    power: float | None = None
    paused: bool = False
    extra: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    """What only this kind knows (`height` of a node, `fan_rpm` of an ASIC), by names of telemetry fields."""

    @property
    def hashrate(self) -> float | None:
        """H/s of the first algorithm."""
        return self.algorithms[0].hashrate if self.algorithms else None

    @property
    def gpus(self) -> int:
        """How many cards there are besides the processor."""
        return sum(not card.processor for card in self.cards)


def state_of(running: bool, figures: Figures | None) -> str:
    """minerstat's words: `online` hashes; `inactive` runs and does not; `idle`: no miner runs; `offline` is the host's
    own and never said by it."""
    if not running:
        return "idle"
    hashing = figures is not None and any((each.hashrate or 0) > 0 for each in figures.algorithms)
    return "online" if hashing else "inactive"


def readings(device: str, state: str, figures: Figures | None) -> list[Reading]:
    """Telemetry of a miner: part `miner` for the whole, `card-<n>` for each of its cards."""
    whole: dict[str, Scalar] = {"state": state}
    if figures is None:
        return [Reading("miner", whole, {"state": ""}, device)]
    whole |= {"software": figures.software, "version": figures.version, "uptime_s": figures.uptime_s}
    for number, each in enumerate(figures.algorithms[:MOST_ALGORITHMS], 1):
        end = "" if number == 1 else f"_{number}"
        told = {
            "algorithm": each.name, "hashrate": each.hashrate, "accepted": each.accepted, "rejected": each.rejected,
            "stale": each.stale, "invalid": each.invalid, "pool": each.pool, "user": each.user,
            "difficulty": each.difficulty,
        }  # fmt: skip
        whole |= {name + end: value for name, value in told.items() if value is not None}
    temperatures = [card.temp for card in figures.cards if card.temp is not None]
    whole |= {"power": figures.power, "temp": max(temperatures, default=None), "cards": len(figures.cards)}
    whole |= {"paused": figures.paused, **figures.extra}
    found = [_reading("miner", whole, device)]
    for number, card in enumerate(figures.cards[:MOST_CARDS]):
        told = {name: getattr(card, name) for name in Card.__dataclass_fields__}
        found.append(_reading(f"card-{number}", {k: v for k, v in told.items() if v != "" and v is not False}, device))
    return found


def _reading(part: str, values: Mapping[str, Scalar], device: str) -> Reading:
    kept = {name: value for name, value in values.items() if value is not None}
    return Reading(part, kept, {name: UNITS.get(name, "") for name in kept}, device)
