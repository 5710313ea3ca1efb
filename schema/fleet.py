"""The messages that every node of a farm uses: plain data, read by people and by both interpreters.

Each line of `fields` is (name, kind, unit, text); kinds are explained in message.py, columns of Message there too.
"""

from schema.message import Message

SCHEMA_VERSION = 1
STATES = ("init", "ready", "sleeping", "disconnected", "lost")
NODE_KINDS = ("asic", "cpu-gpu", "board", "worker", "esp", "gateway", "steward")

_TS = ("ts", "time", "ms", "when it happened at the sender")
_STREAM = ("stream", "name", "", "the sender's outbox stream")
_SEQ = ("seq", "int 1..9007199254740991", "", "position in the stream, without holes")
_MAYBE_STREAM = ("stream?", "name", "", "the sender's outbox stream; absent for a value worth losing")
_MAYBE_SEQ = ("seq?", "int 1..9007199254740991", "", "position in the stream, without holes")
_EPOCH = ("epoch", "int", "", "the leader's epoch; a lower one than seen before is refused")

_NODE = "{domain}/{node}/{device}/"

STATE = Message(
    "state", _NODE + "state", "up", 1, True, "word",
    (("state", "word " + " ".join(STATES), "", "what the node says of itself; `lost` is its MQTT will"),),
    text="Presence word of a node or of one of its devices.",
)  # fmt: skip

INFO = Message(
    "info", _NODE + "info", "up", 1, True, "object",
    (
        ("schema", "int 1..999", "", "version of the message set"),
        ("boot", "name", "", "new at each start of the sender"),
        ("kind", "word " + " ".join(NODE_KINDS), "", "kind of node"),
        ("software", "text 128", "", "name and version"),
        ("hardware?", "text 128", "", "machine or board"),
        ("alive_ms", "int 100..86400000", "ms", "longest silence to expect while the node is well"),
        ("parts", "units", "", "telemetry parts with their fields and units"),
        ("steps?", "list name", "", "processing steps the node can run"),
        ("sensors?", "list name", "", "sensors in use"),
        ("streams?", "json", "", "frame streams: fields, units, scale, frame_ms and values of each"),
        ("hears_marks?", "bool", "", "false in a domain without a way back: the outbox keeps only the newest"),
        ("clock?", "word set unset", "", "whether the sender knows the time"),
        ("limits?", "map scalar", "", "limits of the sender: queue, payload, connections"),
    ),
    text="Birth: who the node is and what it will send.",
)  # fmt: skip

TELE = Message(
    "tele", _NODE + "tele/{name}", "up", 0, False, "object",
    (_TS, _MAYBE_STREAM, _MAYBE_SEQ), extra="scalar",
    text="Measured values; names and units of the further fields are announced in the birth.",
)  # fmt: skip

DATA = Message(
    "data", _NODE + "data/{name}", "home", 0, False, "frame", (),
    text="A time frame of samples: array, msgpack by default; stays in its domain.",
)  # fmt: skip

XDATA = Message(
    "xdata", _NODE + "xdata/{to}/{name}", "across", 1, False, "frame", (),
    text="A time frame carried to one other domain.",
)  # fmt: skip

EVT = Message(
    "evt", _NODE + "evt/{name}", "up", 1, False, "object",
    (_TS, _STREAM, _SEQ), extra="json",
    text="Something happened.",
)  # fmt: skip

EVT_GAP = Message(
    "evt/gap", _NODE + "evt/gap", "up", 1, False, "object",
    (
        _TS, _STREAM,
        ("from", "int 1..9007199254740991", "", "first seq the sender had to give up"),
        ("to", "int 1..9007199254740991", "", "last seq of the gap"),
        ("why", "text 256", "", "reason, for people"),
    ),
    text="The sender gave these events up; the mark passes them.",
)  # fmt: skip

EVT_REFUSED = Message(
    "evt/refused", _NODE + "evt/refused", "up", 1, False, "object",
    (
        _TS, _STREAM, _SEQ,
        ("topic", "text 512", "", "where the refused message came from"),
        ("field", "text 256", "", "the place that was wrong"),
        ("problem", "text 512", "", "what was wrong and what is allowed"),
    ),
    text="The node refused a message: unsigned, replayed, expired, old epoch, retained command or malformed.",
)  # fmt: skip

EVT_AUTH_REFUSED = Message(
    "evt/auth-refused", _NODE + "evt/auth-refused", "up", 1, False, "object",
    (
        _TS, _STREAM, _SEQ,
        ("client", "text 256", "", "MQTT client id that was turned away"),
        ("address?", "text 64", "", "where it came from"),
        ("count", "int 1..1000000", "", "how often since the last report"),
    ),
    text="A steward's broker turned a login away.",
)  # fmt: skip

ALERT = Message(
    "alert", _NODE + "alert/{name}", "up", 1, True, "object",
    (
        ("since", "time", "ms", "when it began"),
        ("severity", "word info warning error critical", "", "how bad"),
        ("text", "text 512", "", "what a person should know"),
    ),
    text="A state of alert; an empty retained message clears it.",
)  # fmt: skip

STORED = Message(
    "stored", _NODE + "stored", "down", 1, True, "object",
    (("marks", "map int 0..9007199254740991", "", "stream -> highest seq up to which everything is stored"),),
    text="The commander's marks: the sender may delete what they have passed.",
)  # fmt: skip

LATEST = Message(
    "latest", _NODE + "latest/{name}", "up", 0, True, "object",
    (_TS,), extra="scalar",
    text="Mirror of the newest value of a frame stream, whose fields are a part of the birth.",
)  # fmt: skip

DESIRED = Message(
    "desired", _NODE + "desired/{name}", "down", 1, True, "signed",
    (
        ("rev", "int 1..9007199254740991", "", "rises with each change of the document"),
        _EPOCH,
        ("data", "json", "", "the document"),
    ),
    text="What the node shall be: a signed document.",
)  # fmt: skip

REPORTED = Message(
    "reported", _NODE + "reported/{name}", "up", 1, True, "object",
    (
        ("rev", "int 0..9007199254740991", "", "revision that the node acted on"),
        ("status", "word applied pending failed refused", "", "what became of it"),
        ("error?", "text 512", "", "why not"),
        ("data?", "json", "", "what the node has now"),
    ),
    text="What the node made of a desired document.",
)  # fmt: skip

CMD = Message(
    "cmd", _NODE + "cmd/{name}", "down", 1, False, "signed",
    (
        ("id", "name", "", "answered on ack/<id>; used once"),
        ("exp", "time", "ms", "refused after this time"),
        _EPOCH,
        ("boot?", "name", "", "boot of the node it is meant for; the only guard while its clock is not set"),
        ("args", "json", "", "arguments of the command"),
    ),
    text="Do something now: a signed command.",
)  # fmt: skip

ACK = Message(
    "ack", _NODE + "ack/{name}", "up", 1, False, "object",
    (
        ("id", "name", "", "id of the command"),
        ("status", "word accepted progress done failed refused", "", "how far it is"),
        ("code?", "text 64", "", "word for programs"),
        ("pct?", "int 0..100", "%", "progress"),
        ("result?", "json", "", "what it gave"),
    ),
    text="Answer to a command.",
)  # fmt: skip

JOB_RESULT = Message(
    "job/result", _NODE + "job/result", "up", 1, False, "object",
    (("id", "name", "", "the job"),), extra="json", text="Result of a job.",
)  # fmt: skip

BLOB_GET = Message(
    "blob/get", _NODE + "blob/get", "up", 1, False, "object",
    (
        ("sha256", "text 64", "", "which file"),
        ("offset", "int 0..9007199254740991", "B", "where the block begins"),
        ("size", "int 1..131072", "B", "length asked for"),
    ),
    text="Ask for a block of a content-addressed file. Unanswered after some seconds: ask again.",
)  # fmt: skip

BLOB_DATA = Message(
    "blob/data", _NODE + "blob/data", "down", 1, False, "object",
    (
        ("sha256", "text 64", "", "which file"),
        ("offset", "int 0..9007199254740991", "B", "where the block begins"),
        ("total", "int 0..9007199254740991", "B", "length of the file; 0: the commander has no such file"),
        ("data", "bytes", "", "the block: as long as asked for, shorter at the end of the file, empty from there on"),
    ),
    text="One block of a file (msgpack).",
)  # fmt: skip

LOG = Message(
    "log", _NODE + "log", "up", 0, False, "object",
    (
        _TS,
        ("level", "word debug info warning error critical", "", "as in Python's logging"),
        ("text", "text 1024", "", "one line"),
    ),
    text="A line of the node's log.",
)  # fmt: skip

LEADER = Message(
    "leader", "_/leader", "farm", 1, True, "signed",
    (
        _EPOCH,
        ("node", "text 128", "", "the commander that leads"),
        ("expires", "time", "ms", "until when, unless renewed"),
    ),
    text="Who commands the farm.",
)  # fmt: skip

ENROL_REQ = Message(
    "enrol/req", "_/enrol/{domain}/{node}/req", "up", 1, False, "object",
    (
        ("nonce", "name", "", "made once by the node: a repeated request with it is answered again"),
        ("kind", "word " + " ".join(NODE_KINDS), "", "kind of node"),
        ("name?", "id", "", "node id wished for"),
        ("software", "text 128", "", "name and version"),
        ("hardware?", "text 128", "", "machine or board"),
        ("sign", "word ed25519 hmac", "", "what the node can verify"),
    ),
    text="A new node redeems its token; {node} is the token's id.",
)  # fmt: skip

ENROL_RES = Message(
    "enrol/res", "_/enrol/{domain}/{node}/res", "down", 1, False, "object",
    (
        ("nonce", "name", "", "of the request"),
        ("node?", "id", "", "the node's id and MQTT user"),
        ("password?", "text 128", "", "MQTT password"),
        ("verify?", "text 128", "", "base64: commander's Ed25519 public key, or the node's HMAC key"),
        ("epoch?", "int", "", "the leader's epoch"),
        ("error?", "text 256", "", "why the token was refused"),
    ),
    text="Answer to an enrolment: credential and keys, or a reason.",
)  # fmt: skip

BRIDGE = Message(
    "bridge", "_/bridge/{name}", "farm", 1, True, "word",
    (("state", "word 0 1", "", "1 while the bridge is connected"),),
    text="Mosquitto's own notification of a bridge, as its home-ward broker sees it.",
)  # fmt: skip

NOTICE = Message(
    "notice", "_/notice/{name}", "farm", 1, False, "object",
    (
        ("ts", "time", "ms", "when the commander said it"),
        ("severity", "word info warning error critical", "", "of the worst alert in it"),
        ("title", "text 200", "", "one line"),
        ("text", "text 4000", "", "a line for each alert"),
        ("alerts", "json", "", "list of {what: raised or cleared, node, device, name, severity, text, since}"),
    ),
    text="Alerts that were raised or cleared, for people: the output {name} of the commander's notifications.",
)  # fmt: skip

MESSAGES = {
    m.key: m
    for m in (
        STATE, INFO, TELE, DATA, XDATA, EVT, EVT_GAP, EVT_REFUSED, EVT_AUTH_REFUSED, ALERT, STORED, LATEST, DESIRED,
        REPORTED, CMD, ACK, JOB_RESULT, BLOB_GET, BLOB_DATA, LOG, LEADER, ENROL_REQ, ENROL_RES,
        BRIDGE, NOTICE,
    )
}  # fmt: skip
