"""What devices say of themselves."""

import sqlalchemy as sa
from alembic import op

from commander.kinds import Json

Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_at", Big, nullable=False),
        sa.Column("info", Json(), nullable=False),
        sa.PrimaryKeyConstraint("node", "device"),
    )


def downgrade() -> None:
    op.drop_table("device")
