"""FPGA boards that a sentry of kind `board` drives over USB: the desired document `leases`, the arguments of its
commands, what it tells. Plain data, in the manner of asics.py; records are looked up by kinds.py.

A board is a device of its sentry, its id the USB serial in lower case. A *lease* gives boards to a user; each of its
boards is made what the lease's `kind` names, a state of the sentry that can be reserved. After that the state's methods
can be called (`board-call`), and it tells the client things (`evt/board`), which go the sure way.
"""

from schema.fleet import EVT
from schema.message import Message

NODE_KIND = "board"
STATES = ("flashing", "testing", "ready", "preparing", "leased", "broken", "quarantine")
"""flashing, testing: on the way to `ready`, which alone is free; preparing: being made what its lease asks for; leased:
usable; broken: being healed; quarantine: failed too often, and tested from time to time.

The report on `leases` has as data {boards: {serial: {state, type, tags, firmware, kind?, lease?, problem?, failures?,
shaky?}}, kinds: [what can be reserved], firmware: {name: version}}; a board that is not plugged in is not in it.
failures: so many in a row; shaky: true while one that failed has not worked for long enough since then. A board's
firmware is the name of what runs on it, the other what its sentry can give it."""
FARM_EVENTS = (
    "plugged", "unplugged", "state", "initialized", "failure", "well-again",
    "asked", "begun", "extended", "ending-soon", "wanted", "ended", "available",
)  # fmt: skip
"""What sentries and the commander tell of boards and leases. Clients act upon these, so nobody else may tell them."""
DEEDS = ("reboot", "delete", "power-cycle")
CONSOLE = "console"
"""Not a deed but a question. It is answered with {lines: [{n, ts, from, text}], more}: what the board said (`board`),
what it was sent (`sentry`), what happened to it (`note`). As many lines as fit a message, whatever their characters."""
CONSOLE_LINES, CONSOLE_PART, CONSOLE_TEXT = 500, 200, 200
CONSOLE_FROM = ("board", "sentry", "note")
MOST_BOARDS = 256
MOST_CALLED, MOST_FILES = 64, 64
BITSTREAM_BYTES = 104_090  # an iCE40UP5K's, without multi-boot header

LEASED_BOARD = Message(
    "leased-board", "", "down", 1, False, "object",
    (
        ("serial", "id", "", "which board"),
        ("lease", "id", "", "whose"),
        ("kind", "id", "", "the state it shall be in"),
        ("args?", "json", "", "object: for the state's constructor"),
    ),
    text="One board that is given to somebody.",
)  # fmt: skip

LEASES = Message(
    "leases", "", "down", 1, False, "object",
    (("boards", "list record leased-board", "", "all that are not free"),),
    text="Desired document `leases`.",
)  # fmt: skip

BOARD = Message(
    "board", "", "down", 1, False, "object",
    (
        ("serial", "id", "", "which board"),
        (
            "do", "word " + " ".join(DEEDS) + " " + CONSOLE, "",
            "reboot keeps what the client waits for; delete forgets all of it; console tells its lines",
        ),
        ("after?", "int 0..9007199254740991", "", "console: only lines with a higher number"),
    ),
    text="Command `board`: tell a board something.",
)  # fmt: skip

CALLED_FILE = Message(
    "called-file", "", "down", 1, False, "object",
    (
        ("name", "text 128", "", "the caller's, e.g. the id of an evaluation"),
        ("sha256", "text 64", "", "the sentry fetches it once, whatever number of boards needs it"),
    ),
    text="A file for a method.",
)  # fmt: skip

BOARD_CALL = Message(
    "board-call", "", "down", 1, False, "object",
    (
        ("serials", "list id", "", "boards of this sentry"),
        ("lease", "id", "", "whose; refused for boards of another lease"),
        ("method", "id", "", "of the state, as it registered it"),
        ("args", "json", "", "object"),
        ("files", "list record called-file", "", ""),
    ),
    text="Command `board-call`: call a method of the state of boards.",
)  # fmt: skip

BOARD_EVENT = Message(
    "evt/board", EVT.topic.replace("{name}", "board"), "up", 1, False, "object",
    (
        ("ts", "time", "ms", "when it happened at the sender"),
        ("stream", "name", "", "the sender's outbox stream"),
        ("seq", "int 1..9007199254740991", "", "position in the stream, without holes"),
        ("event", "name", "", "plugged, unplugged, state; initialized, failure and what states tell their clients"),
        ("lease?", "id", "", "whose client it is for"),
        ("contents", "json", "", "object"),
    ),
    text="A board tells something; the device is its serial.",
)  # fmt: skip

RECORDS = {message.key: message for message in (LEASED_BOARD, CALLED_FILE)}
MESSAGES = {message.key: message for message in (BOARD_EVENT,)}
