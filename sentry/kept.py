"""The sentry's memory, on disk before it is acted on: what was done must not be done again after a crash. What a full
disk did not let it keep is taken in again until it is kept.
"""

import logging
from collections.abc import Sequence

from sentry.extras import Report
from sentry.home import Home
from sentry.rules import Action, Heard, Memory, Say, ack

log = logging.getLogger(__name__)

NAME = "memory.json"
AGAIN_S = 2.0


class Kept:
    """``memory``: as it is on disk."""

    def __init__(self, home: Home) -> None:
        self.memory: Memory = home.read(NAME) or {}
        self._home = home
        self._missed: dict[str, Heard | Report] = {}
        self._again_at = 0.0

    def keep(self, memory: Memory, name: str, what: Heard | Report | None = None) -> bool:
        """Whether it is on disk now; if not, ``what`` it came from is among the missed, under ``name``."""
        if memory != self.memory:
            try:
                self._home.write(NAME, memory)
            except OSError as error:
                if name not in self._missed:
                    log.error("%s cannot be written, not obeyed: %s: %s", NAME, name, error)
                if what:
                    self._missed[name] = what
                return False
            self.memory = memory
        self._missed.pop(name, None)
        return True

    def missed(self, now: float) -> list[Heard | Report]:
        """What is to be taken in again now."""
        if not self._missed or now < self._again_at:
            return []
        self._again_at = now + AGAIN_S
        return list(self._missed.values())


def refusals(actions: Sequence[Action]) -> list[Say]:
    """Instead of these actions: the answer to a command that is not obeyed because it cannot be remembered."""
    commands = dict.fromkeys(each.name for each in actions if isinstance(each, Say) and each.key == "ack")
    problem = {"problem": f"the disk of this node cannot be written: {NAME}"}
    return [ack(command, "refused", "disk", problem) for command in commands]
