"""ASICs that a sentry of kind `asic` watches over the network: the desired document `asics`, and the arguments of its
commands. Plain data, in the manner of fleet.py; records are looked up by kinds.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schema.message import Invalid, Message
from schema.playbooks import WATCH

# How an ASIC is asked: an API of its own, or `pyasic` for the makers that this library knows.
TYPES = ("cgminer", "braiins", "iceriver", "bitaxe", "pyasic")
CONTROLS = ("restart", "reboot", "sleep", "wake", "power_limit")
MOST_ASICS = 600
LONGEST_NAME = 40  # `asic-<name>-mem_temperature` is the name of an alert

ASIC = Message(
    "asic", "", "down", 1, False, "object",
    (
        ("name", "id", "", "its device is `asic-<name>`; at most 40 characters"),
        ("type", "word " + " ".join(TYPES), "", "how it is asked"),
        ("host", "text 253", "", "IP address or name"),
        ("port?", "int 1..65535", "", "the type's own unless given"),
        ("poll_s?", "int 1..3600", "s", "between two looks; the sentry's setting unless given"),
        ("control", "bool", "", "whether it may be restarted, put to sleep and limited; otherwise it is only watched"),
        ("expected?", "num", "H/s", "what it should make"),
        ("watchdog?", "list record watch", "", "what to do when it does not do well"),
    ),
    text="One ASIC.",
)  # fmt: skip

ASICS = Message(
    "asics", "", "down", 1, False, "object",
    (("asics", "list record asic", "", "all that the sentry watches"),),
    text="Desired document `asics`.",
)  # fmt: skip

ASIC_CHECK = Message(
    "asic-check", "", "down", 1, False, "object",
    (
        ("type", "word auto " + " ".join(TYPES), "", "auto: whichever answers"),
        ("host", "text 253", "", "IP address or name"),
        ("port?", "int 1..65535", "", "the type's own unless given"),
    ),
    text="Command `asic-check`: look at one that is not in the document yet.",
)  # fmt: skip

ASIC_SCAN = Message(
    "asic-scan", "", "down", 1, False, "object",
    (
        ("range", "text 64", "", "192.168.1.0/24 or 192.168.1.10-192.168.1.99; at most 4096 addresses"),
        ("ports?", "list int 1..65535", "", "instead of 4028 (cgminer family) and 80 (the others)"),
        ("force?", "bool", "", "also addresses that are neither private nor of this host"),
    ),
    text="Command `asic-scan`: find ASICs by their answers.",
)  # fmt: skip

ASIC_CONTROL = Message(
    "asic-control", "", "down", 1, False, "object",
    (
        ("name", "id", "", "of the ASIC, as the document has it"),
        ("do", "word " + " ".join(CONTROLS), "", "refused unless its record has `control`"),
        ("value?", "num", "W", "of power_limit"),
    ),
    text="Command `asic-control`: tell an ASIC something.",
)  # fmt: skip

RECORDS = {message.key: message for message in (ASIC, WATCH)}


def check_names(asics: Sequence[Mapping[str, Any]]) -> None:
    """Invalid unless the names of these records differ and are short enough, and there are not too many."""
    if len(asics) > MOST_ASICS:
        raise Invalid("asics", f"must be at most {MOST_ASICS}")
    seen: set[str] = set()
    for asic in asics:
        name = asic["name"]
        if len(name) > LONGEST_NAME:
            raise Invalid("asics.name", f"{name} must be at most {LONGEST_NAME} characters")
        if name in seen:
            raise Invalid("asics.name", f"{name} is there twice")
        seen.add(name)
