"""Reads a miner's JSON without trusting it: what is missing, null or of a wrong kind is None, never an error."""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, cast

from sentry.mining.miners import BadAnswer


class Answer:
    """An object of an answer."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    @classmethod
    def of(cls, got: bytes) -> "Answer":
        """A whole answer. BadAnswer unless it is a JSON object."""
        return cls(_object(_json(_text(got))))

    @classmethod
    def of_cut(cls, got: bytes) -> "tuple[Answer, bool]":
        """An answer that may end too early: what is whole in it, and whether something was missing."""
        text = _text(got)
        try:
            return cls(_object(_json(text))), False
        except BadAnswer:
            return cls(_object(_json(closed(text)))), True

    @classmethod
    def each_of(cls, got: bytes) -> "list[Answer]":
        """The objects of an answer that is a list; none of it when it is something else."""
        told = _json(_text(got))
        return cls({"list": told}).parts("list")

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
        return printable(found) if isinstance(found, str) else ""

    def number(self, name: str) -> float | None:
        """A finite number, also when it comes as text."""
        return _number(self._told.get(name))

    def numbers(self, name: str) -> list[float | None]:
        return [_number(each) for each in self._list(name)]

    def amount(self, name: str) -> float | None:
        """A finite number from 0 up: nothing that is counted in H/s, W or % is less."""
        return _amount(self._told.get(name))

    def amounts(self, name: str) -> list[float | None]:
        return [_amount(each) for each in self._list(name)]

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


def total(values: Iterable[float | None]) -> float | None:
    """The sum of what is known; None when nothing is."""
    known = [each for each in values if each is not None]
    return math.fsum(known) if known else None


def times(number: float | None, factor: float | None) -> float | None:
    """The product; None when one is not known, or it is too large to be a number."""
    product = math.nan if number is None or factor is None else number * factor
    return product if math.isfinite(product) else None


def printable(text: str) -> str:
    """At most 256 characters, `?` for those that no terminal should see."""
    return "".join(c if c.isprintable() else "?" for c in text[:256])


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}\[\],]', re.DOTALL)
_DEEPEST = 64


def closed(text: str) -> str:
    """JSON that ends too early, without its last unfinished part and with the brackets that were left open closed."""
    still_open: list[str] = []
    end, then = 0, ""
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{" | "[":
                still_open.append("}" if token[0] == "{" else "]")
                if len(still_open) > _DEEPEST:
                    raise BadAnswer("answer", "is no JSON: too many brackets within each other")
            case "}" | "]" if still_open:
                still_open.pop()
                end, then = token.end(), "".join(reversed(still_open))
            case ",":
                end, then = token.start(), "".join(reversed(still_open))
            case _:
                pass
    return text[:end] + then


def _text(got: bytes) -> str:
    return got.decode("utf-8", "replace").strip("\0 \r\n\t")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("answer", f"is no JSON: {error}"[:200]) from None


def _object(told: Any) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise BadAnswer("answer", f"must be a JSON object, not {type(told).__name__}")
    return cast(dict[str, Any], told)


def _amount(found: Any) -> float | None:
    number = _number(found)
    return number if number is not None and number >= 0 else None


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
