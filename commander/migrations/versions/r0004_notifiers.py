"""Where alerts are told, and what was told there."""

import sqlalchemy as sa
from alembic import op

from commander.kinds import Json

Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notifier",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("after_s", Big, nullable=False),
        sa.Column("updated", Big, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
    )
    op.create_table(
        "notified",
        sa.Column("notifier", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", Big, nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("notifier", "node", "device", "name"),
    )


def downgrade() -> None:
    op.drop_table("notified")
    op.drop_table("notifier")
