"""What a sentry measures: each file here is one kind of measurement, found by listing this folder.

A file holds `class Collector` with `read() -> list[Reading]`; it is made once, and read again and
again in one thread of its own. What this host does not have gives an empty list, never an error.
"""

import importlib
import logging
import pkgutil
from collections.abc import Iterable
from typing import Protocol

from sentry.reading import Reading

log = logging.getLogger(__name__)


class Collects(Protocol):
    def read(self) -> list[Reading]: ...


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def make(name: str) -> Collects:
    collector: Collects = importlib.import_module(f"{__name__}.{name}").Collector()
    return collector


def read_all(collectors: Iterable[tuple[str, Collects]]) -> list[Reading]:
    """All readings; what fails is logged and left out, so that the rest is still heard of."""
    found: list[Reading] = []
    for name, collector in collectors:
        try:
            found += collector.read()
        except Exception as error:
            log.warning("collector %s failed: %s: %s", name, type(error).__name__, error)
    return found
