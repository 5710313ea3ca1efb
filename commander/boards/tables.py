"""What is kept of boards: leases, what users had lately, and history. Times are ms since 1970, 0: not yet."""

from sqlalchemy import Boolean, Column, Index, Table, Text

from commander.fleet.tables import Big, metadata
from commander.kinds import Json

# --- state -----------------------------------------------------------------------------------------------------------
board_lease = Table(
    "board_lease", metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("name", Text, nullable=False),  # of the program that asked, when it says one
    Column("gang", Text, nullable=False),  # begun together with the others of it, the first one's id; empty: alone
    Column("state", Text, nullable=False),  # waiting active ended
    Column("kind", Text, nullable=False),
    Column("args", Json, nullable=False),
    Column("count", Big, nullable=False),
    Column("serials", Json, nullable=False),  # asked for by name; may be empty
    Column("selector", Json, nullable=False),
    Column("boards", Json, nullable=False),  # given: serial -> node
    Column("had", Json, nullable=False),  # given back or moved since: serial -> nodes where it was
    Column("priority", Big, nullable=False),
    Column("length_s", Big, nullable=False),
    Column("idle_s", Big),  # null: not ended for want of use
    Column("created", Big, nullable=False),
    Column("begun", Big, nullable=False),
    Column("until", Big, nullable=False),
    Column("used", Big, nullable=False),
    Column("warned", Boolean, nullable=False),  # that it ends soon
    Column("wanted", Big, nullable=False),  # boards that it was asked to give back
    Column("failing", Json, nullable=False),  # serial -> what is wrong with the board, as its user was told
    Column("ended", Big, nullable=False),
    Column("why", Text, nullable=False),  # it ended
)  # fmt: skip
# What a user had and gave back, halved every few hours: see queue.py.
board_usage = Table(
    "board_usage", metadata,
    Column("user", Text, primary_key=True),
    Column("board_ms", Big, nullable=False),
    Column("ts", Big, nullable=False),
)  # fmt: skip

# --- history ---------------------------------------------------------------------------------------------------------
board_history = Table(
    "board_history", metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("ts", Big, nullable=False),
    Column("serial", Text, nullable=False),  # empty: the lease has no board yet
    Column("node", Text, nullable=False),
    Column("lease", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("data", Json, nullable=False),
    Index("board_history_ts", "ts"),
    Index("board_history_serial_ts", "serial", "ts"),
    Index("board_history_lease", "lease"),
)  # fmt: skip

# What evaluations gave: a value, or a problem.
board_result = Table(
    "board_result", metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("ts", Big, nullable=False),
    Column("lease", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("batch", Text, nullable=False),
    Column("evaluation", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("value", Json, nullable=False),
    Column("problem", Text, nullable=False),
    Column("cause", Text, nullable=False),  # of the problem; board: another board may evaluate it
    Column("gate_ms", Big),  # of a virtual board: how long the circuit was simulated
    Column("took_ms", Big),
    Index("board_result_ts", "ts"),
    Index("board_result_batch", "batch"),
    Index("board_result_lease", "lease"),
)  # fmt: skip

STATE = (board_lease, board_usage)
