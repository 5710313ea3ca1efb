"""What a host shall mine: the desired document `playbooks`, rendered by the commander. Plain data, in the manner of
fleet.py.

Nothing in it is a template any more, and nothing is run through a shell: `args` are the program's arguments as they
stand. Records are looked up by kinds.py.
"""

from schema.message import Message

ADAPTERS = ("xmrig", "lolminer", "bzminer", "trex", "rigel", "srbminer", "monerod", "cgminer", "none")
ARCHIVES = ("none", "tar", "zip")
WATCHED = ("hashrate", "gpus", "temperature", "mem_temperature", "rejects", "power", "silence")
DEEDS = ("alert", "restart-miner", "restart-driver", "reboot", "stop")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# What the sentry says of each miner in `reported/playbooks` (data.miners.<name>.state).
STEPS = ("waiting", "installing", "starting", "running", "resting", "stopped", "failed")

PROGRAM = Message(
    "program", "", "down", 1, False, "object",
    (
        ("url?", "text 2048", "", "where to fetch it: http or https; this or `path`"),
        ("path?", "text 1024", "", "where it lies on the host already; this or `url`"),
        ("sha256", "text 64", "", "of the file fetched, or of the file at `path`"),
        ("archive", "word " + " ".join(ARCHIVES), "", "how it is packed; tar: also .tar.gz, .tar.xz, .tar.bz2"),
        ("member?", "text 512", "", "the program's path in the archive"),
        ("licence?", "text 64", "", "SPDX name"),
    ),
    text="One release of a mining software for one platform.",
)  # fmt: skip

API = Message(
    "api", "", "down", 1, False, "object",
    (
        ("port", "int 1..65535", "", "where the miner answers, on 127.0.0.1"),
        ("token?", "text 256", "", "bearer token that it asks for"),
    ),
    text="Where a miner tells how it does.",
)  # fmt: skip

WINDOW = Message(
    "window", "", "down", 1, False, "object",
    (
        ("days", "list word " + " ".join(DAYS), "", "on which days it begins; none: every day"),
        ("from", "text 5", "", "HH:MM by the host's clock"),
        ("to", "text 5", "", "HH:MM; not after `from`: on the next day"),
    ),
    text="When a miner runs; without any window it always does.",
)  # fmt: skip

WATCH = Message(
    "watch", "", "down", 1, False, "object",
    (
        ("watch", "word " + " ".join(WATCHED), "", "what is looked at: see docs/mining.md"),
        ("below?", "num", "", "too little: H/s, cards, °C, W; either this or `above`"),
        ("above?", "num", "", "too much: the same units, % of shares for `rejects`"),
        ("for_s", "int 0..86400", "s", "how long before something is done"),
        ("act", "word " + " ".join(DEEDS), "", "what is done; an alert is always raised"),
        ("per_hour?", "int 1..60", "", "at most so often; 3 unless given"),
    ),
    text="One rule of a miner's watchdog, which works without any network.",
)  # fmt: skip

MINER = Message(
    "miner", "", "down", 1, False, "object",
    (
        ("name", "id", "", "its device is `miner-<name>`"),
        ("playbook", "id", "", "where it comes from"),
        ("version", "int 1..9007199254740991", "", "of the playbook"),
        ("software", "id", "", "name in the catalog"),
        ("release", "text 64", "", "its version"),
        ("programs", "map record program", "", "platform (`linux-x86_64`) -> program"),
        ("args", "list text 4096", "", "arguments, one by one"),
        ("env?", "map text 4096", "", "environment besides PATH, HOME and LANG"),
        ("adapter", "word " + " ".join(ADAPTERS), "", "how to ask it; none: its process alone is watched"),
        ("api?", "record api", "", "where to ask it"),
        ("algorithms?", "list text 64", "", "what it mines, for people"),
        ("gpus?", "int 0..64", "", "how many cards it shall use"),
        ("nice?", "int 0..19", "", "19: only when nobody else wants the processor"),
        ("cpus?", "list int 0..4095", "", "processors it may use; all unless given"),
        ("huge_pages?", "int 0..65536", "", "2 MB pages to reserve, where the host's owner allows it"),
        ("schedule?", "list record window", "", "when it runs"),
        ("watchdog?", "list record watch", "", "what to do when it does not do well"),
        ("grace_s?", "int 5..3600", "s", "until it must be hashing; 180 unless given"),
    ),
    text="One miner on one host.",
)  # fmt: skip

PLAYBOOKS = Message(
    "playbooks", "", "down", 1, False, "object",
    (("miners", "list record miner", "", "all that shall run on the host, in the order of their start"),),
    text="Desired document `playbooks`.",
)  # fmt: skip

RECORDS = {message.key: message for message in (PROGRAM, API, WINDOW, WATCH, MINER)}
