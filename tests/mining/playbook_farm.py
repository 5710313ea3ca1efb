"""A farm in memory with what playbooks need, and how to ask it for changes as the line would."""

import itertools
from collections.abc import Callable
from typing import Any

from commander.effects import Effects, Farm, Moment, Put, Row, Send
from commander.mining import changes, rules
from commander.projection import Projection
from commander.tables import keys
from schema import fleet
from schema.topics import Address
from tests.commander.line import NOW, door, node_row

RIGS = ("rig-1", "rig-2", "rig-3")
RELEASE = {"url": "https://example.org/x.tar.gz", "sha256": "ab" * 32, "archive": "tar", "member": "x/xmrig"}
XMR = "4" + "A" * 94


def playbook(**more: Any) -> Row:
    """The least that a playbook must say, for all rigs of the farm."""
    mine = {"pool": "nano", "address": "cold"}
    return {
        **{"software": "xmrig", "release": "6.22.2", "kind": "cpu", "mine": [mine]},
        **{"targets": {"nodes": list(RIGS)}, **more},
    }


class Records:
    """`ask(changes.save_playbook, ...)` answers what the API would; `sent` are the nodes whose document it changed."""

    def __init__(self) -> None:
        self.farm = Projection(keys())
        self.farm["door"] = {"house": door("house")}
        self.sent: list[str] = []
        self.audit: list[Row] = []
        self._dice = itertools.count(1)
        for name in RIGS:
            self.join(name)
        self.farm.apply(Put("node", "steward-house", node_row("steward-house", role="steward")))
        self.farm.apply(Put("node", "esp-1", node_row("esp-1", kind="esp")))

    def furnished(self) -> "Records":
        """With a coin, a pool of two URLs, an address and a release; rig-1 is in the group `try`."""
        self.ask(changes.save_template, "coin", "monero", {"algorithm": "rx/0"}, None, "")
        urls = [{"url": "a.example:1", "tls": True}, {"url": "b.example:2"}]
        self.ask(changes.save_template, "pool", "nano", {"coin": "monero", "urls": urls}, None, "")
        self.ask(changes.save_template, "address", "cold", {"coin": "monero", "address": XMR}, None, "")
        self.ask(changes.save_release, "xmrig", "6.22.2", "linux-x86_64", RELEASE, "")
        self.ask(changes.label, "rig-1", "try", ["fast"])
        return self

    def join(self, name: str) -> None:
        self.farm.apply(Put("node", name, node_row(name)))

    def save(self, name: str = "cpu", canary: str = "", **more: Any) -> Row:
        return self.ask(changes.save_playbook, name, playbook(**more), None, "", canary)

    def ask(self, what: Callable[..., tuple[Row, Effects]], *arguments: Any) -> Row:
        answer, effects = what(self.farm, *arguments, self.moment())
        self.apply(effects)
        return answer

    def moment(self) -> Moment:
        number = next(self._dice)
        return Moment(NOW + number, lambda size: number.to_bytes(size, "big"), by="tester")

    def apply(self, effects: Effects) -> None:
        self.sent = [effect.node for effect in effects if isinstance(effect, Send) and effect.name == "playbooks"]
        for effect in effects:
            if isinstance(effect, Put):
                self.farm.apply(effect)
            elif not isinstance(effect, Send):
                self.audit.append(effect.row)  # pyright: ignore[reportAttributeAccessIssue]

    def report(self, node: str, status: str = "applied", **more: Any) -> None:
        """A node's word on the document that it has."""
        data = {"rev": self.farm["desired"][node, "playbooks"]["rev"], "status": status, **more}
        at = Address(fleet.REPORTED.key, "house", node, "self", "playbooks")
        self.apply(rules.on_reported(self.farm, at, data, self.moment()))

    def miners(self, node: str) -> list[Row]:
        row = self.farm["desired"].get((node, "playbooks"))
        return row["data"]["miners"] if row else []

    def states(self, rollout: str) -> dict[str, str]:
        return {row["node"]: row["state"] for row in self.farm["rollout_node"].values() if row["rollout"] == rollout}

    def state(self, rollout: str) -> str:
        return self.farm["rollout"][rollout]["state"]


def unchanged(farm: Farm) -> dict[str, dict[Any, Row]]:
    """A copy to compare with."""
    return {name: dict(rows) for name, rows in farm.items()}
