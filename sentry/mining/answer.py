"""Reads a miner's JSON without trusting it: what is missing, null or of a wrong kind is None, never an error."""

import json
import math
from typing import Any, cast

from sentry.mining.miners import BadAnswer


class Answer:
    """An object of an answer."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    @classmethod
    def of(cls, got: bytes) -> "Answer":
        """A whole answer. BadAnswer unless it is a JSON object."""
        text = got.decode("utf-8", "replace").strip("\0 \r\n\t")
        try:
            told = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadAnswer("answer", f"is no JSON: {error}"[:200]) from None
        if not isinstance(told, dict):
            raise BadAnswer("answer", f"must be a JSON object, not {type(told).__name__}")
        return cls(cast(dict[str, Any], told))

    def __contains__(self, name: str) -> bool:
        return name in self._told

    def part(self, name: str) -> "Answer":
        """The object of that name; an empty one when there is none."""
        found = self._told.get(name)
        return Answer(cast(dict[str, Any], found) if isinstance(found, dict) else {})

    def parts(self, name: str) -> "list[Answer]":
        """The objects of that list; what else is in it is left out."""
        return [Answer(cast(dict[str, Any], each)) for each in self._list(name) if isinstance(each, dict)]

    def text(self, name: str) -> str:
        found = self._told.get(name)
        return "".join(c if c.isprintable() else "?" for c in found[:256]) if isinstance(found, str) else ""

    def number(self, name: str) -> float | None:
        """A finite number, also when it comes as text."""
        return _number(self._told.get(name))

    def numbers(self, name: str) -> list[float | None]:
        return [_number(each) for each in self._list(name)]

    def count(self, name: str) -> int | None:
        """A whole number from 0 up."""
        found = self.number(name)
        return int(found) if found is not None and 0 <= found < 2**53 else None

    def flag(self, name: str) -> bool:
        return self._told.get(name) is True

    def names(self) -> list[str]:
        return list(self._told)

    def _list(self, name: str) -> list[Any]:
        found = self._told.get(name)
        return cast(list[Any], found) if isinstance(found, list) else []


def _number(found: Any) -> float | None:
    if isinstance(found, str):
        try:
            found = float(found)
        except ValueError:
            return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        number = float(found)
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e290 else None
