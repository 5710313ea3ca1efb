"""Leases that are given together; how many of its boards one was asked to give back."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("board_lease", sa.Column("gang", sa.Text(), nullable=False, server_default=""))
    op.add_column("board_lease", sa.Column("wanted", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("board_lease", "wanted")
    op.drop_column("board_lease", "gang")
