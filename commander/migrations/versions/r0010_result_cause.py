"""Whether an evaluation failed because of its board."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("board_result", sa.Column("cause", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("board_result", "cause")
