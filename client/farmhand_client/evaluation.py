"""What is evaluated, and what comes of it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

FilePath = str | os.PathLike[str]


def listed(given: Iterable[Any]) -> list[Any]:
    """One text is a list of one."""
    return [given] if isinstance(given, str) else list(given)


class Evaluation:
    """A bitstream (.bin, or .asc when icepack is here) for each of these boards."""

    def __init__(self, serials: str | Iterable[str], filepath: FilePath) -> None:
        given = listed(serials)
        if not given:
            raise ValueError("serials: must name at least one board")
        self.serials = frozenset(serial.lower() for serial in given)
        self.filepath = filepath

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sorted(self.serials)}, {os.fspath(self.filepath)!r})"


class PulseCountEvaluation(Evaluation):
    """Its value: pulses in a second (int)."""


class VarianceEvaluation(Evaluation):
    """Its value: mean change from sample to sample (float)."""


@dataclass(frozen=True, slots=True)
class EvaluationFailed:
    """Instead of a value: why there is none."""

    problem: str


class _Result(NamedTuple):
    serial: str
    evaluation: Any
    value: Any


class Result(_Result):
    """``evaluation``: as it was given; the file's path when only paths were. ``value``: a number, or an
    EvaluationFailed. Of a virtual board also ``gate_ms``: how long the circuit was simulated, and ``took_ms``: how long
    that took; both are no part of the tuple."""

    gate_ms: int | None = None
    took_ms: int | None = None

    def __new__(
        cls, serial: str, evaluation: Any, value: Any, gate_ms: int | None = None, took_ms: int | None = None
    ) -> "Result":
        made = super().__new__(cls, serial, evaluation, value)
        made.gate_ms, made.took_ms = gate_ms, took_ms
        return made
