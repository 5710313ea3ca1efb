"""Leases of boards, what their users had lately, history."""

import sqlalchemy as sa
from alembic import op

from commander.kinds import Json

Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def text(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def numbers(*names: str) -> list[sa.Column]:
    return [sa.Column(name, Big, autoincrement=False, nullable=False) for name in names]


def json(*names: str) -> list[sa.Column]:
    return [sa.Column(name, Json(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "board_lease",
        *text("id", "user", "state", "kind"),
        *json("args"),
        *numbers("count"),
        *json("serials", "selector", "boards"),
        *numbers("priority", "length_s"),
        sa.Column("idle_s", Big),
        *numbers("created", "begun", "until", "used"),
        sa.Column("warned", sa.Boolean(), nullable=False),
        *json("failing"),
        *numbers("ended"),
        *text("why"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table("board_usage", *text("user"), *numbers("board_ms", "ts"), sa.PrimaryKeyConstraint("user"))
    op.create_table(
        "board_history",
        sa.Column("id", Big, primary_key=True, autoincrement=True),
        *numbers("ts"),
        *text("serial", "node", "lease", "user", "what"),
        *json("data"),
    )
    op.create_index("board_history_ts", "board_history", ["ts"])
    op.create_index("board_history_serial_ts", "board_history", ["serial", "ts"])
    op.create_index("board_history_lease", "board_history", ["lease"])


def downgrade() -> None:
    for name in ("board_history", "board_usage", "board_lease"):
        op.drop_table(name)
