"""The ladder of difficulties: a pool moves a worker by its hash rate."""

from collections.abc import Mapping
from dataclasses import dataclass

INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Tier:
    """A worker that hashes at ``least`` <= H/s < ``most`` belongs here; nonces are from 1 to 100 * ``difficulty``."""

    difficulty: int
    least: float
    most: float


# Difficulties and limits as pools use them; the least of a tier lies below the most of the one under it, so that a
# worker on the border is not sent to and fro.
TIERS: Mapping[str, Tier] = {
    "AVR": Tier(10, 0, 380),
    "MEGA": Tier(16, 150, 550),
    "ARM": Tier(128, 400, 1_000),
    "DUE": Tier(500, 700, 5_000),
    "ESP8266": Tier(1_000, 3_000, 11_800),
    "ESP8266H": Tier(1_200, 6_000, 16_000),
    "ESP32": Tier(1_500, 8_000, 25_000),
    "LOW": Tier(5_000, 1, 250_000),
    "MEDIUM": Tier(50_000, 1, 500_000),
    "NET": Tier(125_000, 1, INFINITE),
}
LADDER = tuple(TIERS)


def above(tier: str) -> str:
    """The next harder tier; the hardest stays."""
    return LADDER[min(LADDER.index(tier) + 1, len(LADDER) - 1)]


def below(tier: str) -> str:
    """The next easier tier; the easiest stays."""
    return LADDER[max(LADDER.index(tier) - 1, 0)]
