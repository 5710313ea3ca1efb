"""Reads the JSON of ASICs, some of which write it by hand, badly. Pure.

What is JSON already is never touched, so a repair cannot spoil it.
"""

import json
import re
from typing import Any, cast

from sentry.mining.answer import Answer
from sentry.mining.miners import BadAnswer

# Seen in the firmwares of Antminers, Innosilicons and Avalons; each is done wherever it fits.
REPAIRS = (
    (re.compile(r"[\x00-\x1f]+"), ""),  # newlines inside of text, the NUL at the end
    (re.compile(r"\}\s*\{"), "},{"),
    (re.compile(r"\]\s*\["), "],["),
    (re.compile(r"\[\s*,+"), "["),
    (re.compile(r",+\s*([}\]])"), r"\1"),
    # A number that is none is unknown: 0 would be a lie.
    (re.compile(r"([:,\[])\s*[-+]?(?:nan|inf|infinity)(?=\s*[,}\]])", re.IGNORECASE), r"\1null"),
)


def repaired(text: str) -> str:
    """The text with what is known to be broken put right; it may still be no JSON."""
    for wrong, right in REPAIRS:
        text = wrong.sub(right, text)
    return text


def read(got: bytes) -> Answer:
    """A whole answer. BadAnswer unless it is a JSON object, or can be made one."""
    text = got.decode("utf-8", "replace").strip("\0 \r\n\t")
    if not text:
        raise BadAnswer("answer", "is empty")
    told: Any = None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        try:
            told = json.loads(repaired(text))
        except (ValueError, RecursionError) as error:
            raise BadAnswer("answer", f"is no JSON: {error}"[:200]) from None
    if not isinstance(told, dict):
        raise BadAnswer("answer", f"must be a JSON object, not {type(told).__name__}")
    return Answer(cast(dict[str, Any], told))
