"""Templates, software, playbooks, labels, rollouts."""

import sqlalchemy as sa
from alembic import op

from commander.kinds import Json

Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    "template",
    "software",
    "software_release",
    "playbook",
    "playbook_version",
    "label",
    "rollout",
    "rollout_node",
)


def text(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def numbers(*names: str) -> list[sa.Column]:
    return [sa.Column(name, Big, autoincrement=False, nullable=False) for name in names]


def json(*names: str) -> list[sa.Column]:
    return [sa.Column(name, Json(), nullable=False) for name in names]


def signed(*keys: str) -> list[sa.Column | sa.PrimaryKeyConstraint]:
    columns = [*text(*keys), *numbers("version"), *json("data"), *numbers("updated"), *text("by")]
    return [*columns, sa.PrimaryKeyConstraint(*keys)]


def upgrade() -> None:
    op.create_table("template", *signed("kind", "name"))
    op.create_table("software", *signed("name"))
    op.create_table("software_release", *signed("software", "release", "platform"))
    op.create_table("playbook", *signed("name"), *numbers("created"))
    op.create_table(
        "playbook_version",
        *text("name"),
        *numbers("version"),
        *json("data"),
        *text("note"),
        *numbers("created"),
        *text("by"),
        sa.PrimaryKeyConstraint("name", "version"),
    )
    op.create_table(
        "label",
        *text("node", "group"),
        *json("tags"),
        *numbers("updated"),
        *text("by"),
        sa.PrimaryKeyConstraint("node"),
    )
    op.create_table(
        "rollout",
        *text("id"),
        *numbers("created", "updated"),
        *text("by", "why", "state", "canary"),
        *numbers("trial", "money"),
        *json("records", "playbooks", "nodes"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "rollout_node",
        *text("rollout", "node", "state"),
        *numbers("rev"),
        *text("error"),
        *numbers("updated"),
        sa.PrimaryKeyConstraint("rollout", "node"),
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
