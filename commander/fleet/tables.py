"""What fleet keeps. State tables live in the projection too; history tables only in the database.

Times are ms since 1970. `series` and stream ids are 63-bit hashes of their names, so no counter has to be shared.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from commander.kinds import Json

metadata = MetaData()
Big = BigInteger().with_variant(Integer, "sqlite")

# --- state -----------------------------------------------------------------------------------------------------------
node = Table(
    "node", metadata,
    Column("id", Text, primary_key=True),
    Column("domain", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("created", Big, nullable=False),
    Column("state", Text, nullable=False, default=""),
    Column("state_at", Big, nullable=False, default=0),
    Column("shown", Text, nullable=False, default="new"),  # the presence last told to people: see rules.on_tick
    Column("boot", Text, nullable=False, default=""),
    Column("alive_ms", Big, nullable=False, default=0),
    Column("parts", Json, nullable=False),
    Column("info", Json, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("sign", Text, nullable=False),  # ed25519 | hmac
    Column("key", Text, nullable=False, default=""),  # base64 HMAC key of a board
    Column("role", Text, nullable=False, default="node"),
    Column("grants", Json, nullable=False),
    Column("token", Text, nullable=False, default=""),
    Column("nonce", Text, nullable=False, default=""),
)  # fmt: skip
# What a node owns, as far as it said something of it.
device = Table(
    "device", metadata,
    Column("node", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("state_at", Big, nullable=False),
    Column("info", Json, nullable=False),
)  # fmt: skip
token = Table(
    "token", metadata,
    Column("id", Text, primary_key=True),
    Column("domain", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("secret_hash", Text, nullable=False),
    Column("created", Big, nullable=False),
    Column("expires", Big, nullable=False),
    Column("used", Big, nullable=False, default=0),
    Column("node", Text, nullable=False, default=""),
    Column("by", Text, nullable=False, default=""),
)  # fmt: skip
heard = Table("heard", metadata, Column("node", Text, primary_key=True), Column("ts", Big, nullable=False))
latest = Table(
    "latest", metadata,
    Column("series", Big, primary_key=True, autoincrement=False),
    Column("node", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("ts", Big, nullable=False),
    Column("received", Big, nullable=False),
    Column("data", Json, nullable=False),
)  # fmt: skip
stream = Table(
    "stream", metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("node", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mark", Big, nullable=False),
    Column("ahead", Json, nullable=False),
    Column("updated", Big, nullable=False),
)  # fmt: skip
alert = Table(
    "alert", metadata,
    Column("node", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("since", Big, nullable=False),
    Column("severity", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("source", Text, nullable=False),  # node | commander
)  # fmt: skip
desired = Table(
    "desired", metadata,
    Column("node", Text, primary_key=True),
    Column("doc", Text, primary_key=True),
    Column("rev", Big, nullable=False),
    Column("data", Json, nullable=False),
    Column("updated", Big, nullable=False),
    Column("by", Text, nullable=False),
)  # fmt: skip
reported = Table(
    "reported", metadata,
    Column("node", Text, primary_key=True),
    Column("doc", Text, primary_key=True),
    Column("rev", Big, nullable=False),
    Column("status", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("data", Json, nullable=False),
    Column("updated", Big, nullable=False),
)  # fmt: skip
command = Table(
    "command", metadata,
    Column("id", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("args", Json, nullable=False),
    Column("created", Big, nullable=False),
    Column("exp", Big, nullable=False),
    Column("by", Text, nullable=False),
    Column("status", Text, nullable=False),  # sent accepted progress done failed refused timeout
    Column("code", Text, nullable=False, default=""),
    Column("pct", Big),
    Column("result", Json, nullable=False),
    Column("updated", Big, nullable=False),
)  # fmt: skip
dead_count = Table(
    "dead_count", metadata,
    Column("sender", Text, primary_key=True),
    Column("count", Big, nullable=False),
    Column("last", Big, nullable=False),
    Column("minute", Big, nullable=False),
    Column("in_minute", Big, nullable=False),
)  # fmt: skip
link = Table(
    "link", metadata,
    Column("name", Text, primary_key=True),
    Column("up", Boolean, nullable=False),
    Column("since", Big, nullable=False),
)  # fmt: skip
api_key = Table(
    "api_key", metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),  # reader operator admin
    Column("hash", Text, nullable=False),
    Column("created", Big, nullable=False),
)  # fmt: skip
# Where alerts are told, and what was told there.
notifier = Table(
    "notifier", metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("data", Json, nullable=False),
    Column("severity", Text, nullable=False),  # the least that is told
    Column("after_s", Big, nullable=False),
    Column("updated", Big, nullable=False),
    Column("by", Text, nullable=False),
)  # fmt: skip
notified = Table(
    "notified", metadata,
    Column("notifier", Text, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("since", Big, nullable=False),
    Column("severity", Text, nullable=False),
    Column("text", Text, nullable=False),
)  # fmt: skip
outbox = Table(
    "outbox", metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("topic", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("qos", Big, nullable=False),
    Column("retain", Boolean, nullable=False),
)  # fmt: skip
blob = Table(
    "blob", metadata,
    Column("sha256", Text, primary_key=True),
    Column("size", Big, nullable=False),
    Column("name", Text, nullable=False),
    Column("names", Json, nullable=False),  # SHA-256 of each file that this one names: see blobs.py
    Column("by", Text, nullable=False),
    Column("created", Big, nullable=False),
    Column("used", Big, nullable=False),
)  # fmt: skip
# Blocks of equal size, so that a piece of a large file is found without reading what is before it.
blob_block = Table(
    "blob_block", metadata,
    Column("sha256", Text, primary_key=True),
    Column("number", Big, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)  # fmt: skip
lease = Table(
    "lease", metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", Big, nullable=False),
    Column("expires", Big, nullable=False),
)  # fmt: skip
bookmark = Table("bookmark", metadata, Column("name", Text, primary_key=True), Column("value", Big, nullable=False))

# --- history ---------------------------------------------------------------------------------------------------------
telemetry = Table(
    "telemetry", metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("series", Big, nullable=False),
    Column("ts", Big, nullable=False),
    Column("received", Big, nullable=False),
    Column("stream", Big),
    Column("seq", Big),
    Column("data", Json, nullable=False),
    Index("telemetry_series_ts", "series", "ts"),
    Index("telemetry_stream_seq", "stream", "seq", unique=True),
)  # fmt: skip
rollup = Table(
    "rollup", metadata,
    Column("series", Big, primary_key=True, autoincrement=False),
    Column("step", Big, primary_key=True, autoincrement=False),  # ms: 60000 or 3600000
    Column("ts", Big, primary_key=True, autoincrement=False),  # begin of the step
    Column("data", Json, nullable=False),  # field -> [count, min, mean, max]
    Index("rollup_ts", "step", "ts"),
)  # fmt: skip
event = Table(
    "event", metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("node", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("ts", Big, nullable=False),
    Column("received", Big, nullable=False),
    Column("stream", Big),
    Column("seq", Big),
    Column("data", Json, nullable=False),
    Index("event_ts", "ts"),
    Index("event_node_ts", "node", "ts"),
    Index("event_stream_seq", "stream", "seq", unique=True),
)  # fmt: skip
log = Table(
    "log", metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("node", Text, nullable=False),
    Column("ts", Big, nullable=False),
    Column("level", Text, nullable=False),
    Column("text", Text, nullable=False),
    Index("log_node_ts", "node", "ts"),
    Index("log_ts", "ts"),
)  # fmt: skip
dead_letter = Table(
    "dead_letter", metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("ts", Big, nullable=False),
    Column("sender", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("size", Big, nullable=False),
    Column("payload", Text, nullable=False),
    Index("dead_letter_ts", "ts"),
)  # fmt: skip
audit = Table(
    "audit", metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("ts", Big, nullable=False),
    Column("by", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("data", Json, nullable=False),
    Index("audit_ts", "ts"),
)  # fmt: skip

STATE = (
    node, device, token, heard, latest, stream, alert, desired, reported, command, dead_count, link, api_key, blob,
    notifier, notified,
)  # fmt: skip
