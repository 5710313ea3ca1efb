"""Results of evaluations."""

import sqlalchemy as sa
from alembic import op

from commander.kinds import Json

Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "board_result",
        sa.Column("id", Big, primary_key=True, autoincrement=True),
        sa.Column("ts", Big, nullable=False),
        *(sa.Column(n, sa.Text(), nullable=False) for n in ("lease", "user", "batch", "evaluation", "serial", "node")),
        sa.Column("value", Json(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("gate_ms", Big),
        sa.Column("took_ms", Big),
    )
    for column in ("ts", "batch", "lease"):
        op.create_index(f"board_result_{column}", "board_result", [column])


def downgrade() -> None:
    op.drop_table("board_result")
