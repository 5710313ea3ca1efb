"""What the command line says after a change of mining records."""

import json
from typing import Any

from rich.markup import escape

from commander.show import console, word

Item = dict[str, Any]


def changed(answer: Item, what: str, as_json: bool) -> None:
    """One line for the change, and what becomes of it."""
    if as_json:
        print(json.dumps(answer))
        return
    rollout = answer["rollout"]
    console.print(f"{escape(what)}: " + (rollout_line(rollout) if rollout else "no node's document changes"))
    if rollout and rollout["trial"]:
        console.print(f"[dim]farmhand rollout show {rollout['id']}; then rollout continue, or rollout cancel[/]")
    for node, by in sorted(answer["left"].items()):
        console.print(f"[yellow]{escape(node)} is held back by rollout {escape(by)}[/]")


def rollout_line(rollout: Item) -> str:
    return f"rollout {rollout['id']} is {word(rollout['state'])}, {counts(rollout)}"


def counts(rollout: Item) -> str:
    """`3 applied, 7 held`."""
    return ", ".join(f"{number} {state}" for state, number in sorted(rollout["counts"].items())) or "no nodes"
