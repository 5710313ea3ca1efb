"""One measurement of one thing."""

from collections.abc import Mapping
from dataclasses import dataclass

Scalar = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class Reading:
    """``part``: the name below tele/; ``values`` and ``units`` by the same field names; ``device``:
    `self` for the host, else the thing it owns."""

    part: str
    values: Mapping[str, Scalar]
    units: Mapping[str, str]
    device: str = "self"
