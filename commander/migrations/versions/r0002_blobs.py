"""Files that nodes pull."""

import sqlalchemy as sa
from alembic import op

from commander.kinds import Json

Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", Big, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("names", Json(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("created", Big, nullable=False),
        sa.Column("used", Big, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "blob_block",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("number", Big, autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "number"),
    )


def downgrade() -> None:
    op.drop_table("blob_block")
    op.drop_table("blob")
