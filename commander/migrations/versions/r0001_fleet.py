"""The base: fleet."""

import sqlalchemy as sa
from alembic import op

from commander.kinds import Json

Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", Big, nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("node", "device", "name"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created", Big, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit",
        sa.Column("id", Big, autoincrement=True, nullable=False),
        sa.Column("ts", Big, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("audit_ts", ["ts"], unique=False)

    op.create_table(
        "bookmark",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", Big, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "command",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("args", Json(), nullable=False),
        sa.Column("created", Big, nullable=False),
        sa.Column("exp", Big, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("pct", Big, nullable=True),
        sa.Column("result", Json(), nullable=False),
        sa.Column("updated", Big, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "dead_count",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("count", Big, nullable=False),
        sa.Column("last", Big, nullable=False),
        sa.Column("minute", Big, nullable=False),
        sa.Column("in_minute", Big, nullable=False),
        sa.PrimaryKeyConstraint("sender"),
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", Big, autoincrement=True, nullable=False),
        sa.Column("ts", Big, nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("size", Big, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.create_index("dead_letter_ts", ["ts"], unique=False)

    op.create_table(
        "desired",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("rev", Big, nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("updated", Big, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("node", "doc"),
    )
    op.create_table(
        "event",
        sa.Column("id", Big, autoincrement=True, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("ts", Big, nullable=False),
        sa.Column("received", Big, nullable=False),
        sa.Column("stream", Big, nullable=True),
        sa.Column("seq", Big, nullable=True),
        sa.Column("data", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("event_node_ts", ["node", "ts"], unique=False)
        batch_op.create_index("event_stream_seq", ["stream", "seq"], unique=True)
        batch_op.create_index("event_ts", ["ts"], unique=False)

    op.create_table(
        "heard",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("ts", Big, nullable=False),
        sa.PrimaryKeyConstraint("node"),
    )
    op.create_table(
        "latest",
        sa.Column("series", Big, autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("ts", Big, nullable=False),
        sa.Column("received", Big, nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.PrimaryKeyConstraint("series"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", Big, nullable=False),
        sa.Column("expires", Big, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "link",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("up", sa.Boolean(), nullable=False),
        sa.Column("since", Big, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "log",
        sa.Column("id", Big, autoincrement=True, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("ts", Big, nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("log", schema=None) as batch_op:
        batch_op.create_index("log_node_ts", ["node", "ts"], unique=False)
        batch_op.create_index("log_ts", ["ts"], unique=False)

    op.create_table(
        "node",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created", Big, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_at", Big, nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("alive_ms", Big, nullable=False),
        sa.Column("parts", Json(), nullable=False),
        sa.Column("info", Json(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("grants", Json(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("qos", Big, nullable=False),
        sa.Column("retain", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "reported",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("rev", Big, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("updated", Big, nullable=False),
        sa.PrimaryKeyConstraint("node", "doc"),
    )
    op.create_table(
        "rollup",
        sa.Column("series", Big, autoincrement=False, nullable=False),
        sa.Column("step", Big, autoincrement=False, nullable=False),
        sa.Column("ts", Big, autoincrement=False, nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.PrimaryKeyConstraint("series", "step", "ts"),
    )
    with op.batch_alter_table("rollup", schema=None) as batch_op:
        batch_op.create_index("rollup_ts", ["step", "ts"], unique=False)

    op.create_table(
        "stream",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mark", Big, nullable=False),
        sa.Column("ahead", Json(), nullable=False),
        sa.Column("updated", Big, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "telemetry",
        sa.Column("id", Big, autoincrement=True, nullable=False),
        sa.Column("series", Big, nullable=False),
        sa.Column("ts", Big, nullable=False),
        sa.Column("received", Big, nullable=False),
        sa.Column("stream", Big, nullable=True),
        sa.Column("seq", Big, nullable=True),
        sa.Column("data", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("telemetry", schema=None) as batch_op:
        batch_op.create_index("telemetry_series_ts", ["series", "ts"], unique=False)
        batch_op.create_index("telemetry_stream_seq", ["stream", "seq"], unique=True)

    op.create_table(
        "token",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created", Big, nullable=False),
        sa.Column("expires", Big, nullable=False),
        sa.Column("used", Big, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("token")
    with op.batch_alter_table("telemetry", schema=None) as batch_op:
        batch_op.drop_index("telemetry_stream_seq")
        batch_op.drop_index("telemetry_series_ts")

    op.drop_table("telemetry")
    op.drop_table("stream")
    with op.batch_alter_table("rollup", schema=None) as batch_op:
        batch_op.drop_index("rollup_ts")

    op.drop_table("rollup")
    op.drop_table("reported")
    op.drop_table("outbox")
    op.drop_table("node")
    with op.batch_alter_table("log", schema=None) as batch_op:
        batch_op.drop_index("log_ts")
        batch_op.drop_index("log_node_ts")

    op.drop_table("log")
    op.drop_table("link")
    op.drop_table("lease")
    op.drop_table("latest")
    op.drop_table("heard")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("event_ts")
        batch_op.drop_index("event_stream_seq")
        batch_op.drop_index("event_node_ts")

    op.drop_table("event")
    op.drop_table("desired")
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.drop_index("dead_letter_ts")

    op.drop_table("dead_letter")
    op.drop_table("dead_count")
    op.drop_table("command")
    op.drop_table("bookmark")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("audit_ts")

    op.drop_table("audit")
    op.drop_table("api_key")
    op.drop_table("alert")
