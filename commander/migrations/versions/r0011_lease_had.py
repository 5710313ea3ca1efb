"""Where boards of a lease were before: given back since, or moved to another host."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("board_lease", sa.Column("had", sa.Text(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("board_lease", "had")
