"""How to ask each kind of miner: one file each, found by listing this folder.

A file holds `ADAPTER`, an Adapter: what to send, and a pure function from the answers to Figures. ask.py (beside this
folder) sends; nothing here opens a connection. Whatever a miner answers, `read` gives Figures or raises BadAnswer.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from sentry.mining.figures import Figures


class NoAnswer(RuntimeError):
    """Nothing came, or not in time: the text says what was tried."""


class BadAnswer(ValueError):
    """An answer that cannot be read: field and problem."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


@dataclass(frozen=True, slots=True)
class Http:
    """One request; ``body``: JSON text, or a form when ``form`` is set."""

    path: str
    method: str = "GET"
    body: str = ""
    form: bool = False


@dataclass(frozen=True, slots=True)
class Tcp:
    """Send this text, read to the end of the connection (the cgminer family)."""

    text: str


Ask = Http | Tcp


@dataclass(frozen=True, slots=True)
class Adapter:
    """``read``: the answers, in the order of ``asks``, to Figures. ``optional``: how many of the last asks may stay
    unanswered (b"" then). ``seldom``: how many of the last asks change so slowly that who looks often need not repeat
    them each time. ``controls``: what can be told to it, by name (`pause`, `resume`, `reboot`, ...), as requests; a
    function where it takes a number (`power_limit`: W; `sleep`, `wake`: how many boards). ``confirm``: raises BadAnswer
    when the answer to one of these is a no."""

    asks: Sequence[Ask]
    read: Callable[[Sequence[bytes]], Figures]
    port: int
    optional: int = 0
    seldom: int = 0
    controls: dict[str, Sequence[Ask] | Callable[[float], Sequence[Ask]]] = field(
        default_factory=dict[str, "Sequence[Ask] | Callable[[float], Sequence[Ask]]"]
    )
    confirm: Callable[[bytes], None] | None = None


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


@cache
def adapter(name: str) -> Adapter:
    """The adapter of that name; KeyError when there is none."""
    if name not in names():
        raise KeyError(name)
    found: Adapter = importlib.import_module(f"{__name__}.{name}").ADAPTER
    return found
