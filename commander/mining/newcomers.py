"""Nodes that nobody has looked at yet: enrolled since, or all of them after a start."""

from collections.abc import Callable

from commander.effects import Effects, Farm, Moment
from commander.mining import trials
from commander.mining.playbooks import NODE_KIND

AT_ONCE = 200  # so that the line is not held up


class Newcomers:
    """Gives each node once what its playbooks say."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def serve(self, farm: Farm, moment: Moment, apply: Callable[[Effects], None]) -> None:
        """Whoever has come since the last call."""
        nodes = farm["node"]
        self._seen.intersection_update(nodes)
        new = [name for name, node in nodes.items() if node["kind"] == NODE_KIND and name not in self._seen][:AT_ONCE]
        self._seen.update(new)
        for node in new:
            apply(trials.catch_up(farm, node, moment))
