"""What mining keeps: templates, software, playbooks in all versions, labels of nodes, rollouts.

All of it is state. Times are ms since 1970. `data` of each table is what its own file describes.
"""

from typing import Any

from sqlalchemy import Column, Table, Text

from commander.fleet.tables import Big, metadata
from commander.kinds import Json


def _signed(*keys: str) -> list[Column[Any]]:
    """A record's key, and who gave it its present form."""
    found: list[Column[Any]] = [Column(name, Text, primary_key=True) for name in keys]
    found += [Column("version", Big, nullable=False), Column("data", Json, nullable=False)]
    return [*found, Column("updated", Big, nullable=False), Column("by", Text, nullable=False)]


template = Table("template", metadata, *_signed("kind", "name"))
software = Table("software", metadata, *_signed("name"))
software_release = Table("software_release", metadata, *_signed("software", "release", "platform"))
playbook = Table("playbook", metadata, *_signed("name"), Column("created", Big, nullable=False))
# Every version that ever was; data null: with this one it was removed.
playbook_version = Table(
    "playbook_version", metadata,
    Column("name", Text, primary_key=True),
    Column("version", Big, primary_key=True, autoincrement=False),
    Column("data", Json, nullable=False),
    Column("note", Text, nullable=False),
    Column("created", Big, nullable=False),
    Column("by", Text, nullable=False),
)  # fmt: skip
label = Table(
    "label", metadata,
    Column("node", Text, primary_key=True),
    Column("group", Text, nullable=False),
    Column("tags", Json, nullable=False),
    Column("updated", Big, nullable=False),
    Column("by", Text, nullable=False),
)  # fmt: skip
rollout = Table(
    "rollout", metadata,
    Column("id", Text, primary_key=True),
    Column("created", Big, nullable=False),
    Column("updated", Big, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),  # running waiting done failed cancelled
    Column("canary", Text, nullable=False),  # group; empty: all at once
    Column("trial", Big, nullable=False),  # 1: nodes outside of the canary group are held back
    Column("money", Big, nullable=False),  # 1: pools, addresses or coins changed: an admin continues it
    Column("records", Json, nullable=False),  # [{table, key, before}]: what a cancel puts back
    Column("playbooks", Json, nullable=False),  # names of those that the records are part of
    Column("nodes", Json, nullable=False),
)  # fmt: skip
rollout_node = Table(
    "rollout_node", metadata,
    Column("rollout", Text, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("state", Text, nullable=False),  # held pending applied failed superseded cancelled
    Column("rev", Big, nullable=False),
    Column("error", Text, nullable=False),
    Column("updated", Big, nullable=False),
)  # fmt: skip

STATE = (template, software, software_release, playbook, playbook_version, label, rollout, rollout_node)
