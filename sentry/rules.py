"""What to do about a message from the broker. Pure: values in, values out.

`memory` is what must outlive a restart: trust.py's {"epoch", "revs", "ids"}; under "documents" what was reported of
each desired document; under "wanted" the documents of the sentry's extras as they came; under "restart" the id of a
restart under way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schema import topics
from schema.fleet import CMD, DESIRED, LEADER, STORED
from schema.message import Invalid, Message, check
from schema.questions import is_question
from schema.trust import accept_command, accept_desired, judge_epoch, unseal
from schema.wire import decode
from sentry.events import Sender

Memory = dict[str, Any]

SETTINGS = Message(
    "settings", "", "down", 1, False, "object",
    (
        ("interval_s?", "int 1..3600", "s", "between two measurements"),
        ("heartbeat_s?", "int 1..3600", "s", "between two signs of life"),
    ),
)  # fmt: skip
NO_ARGUMENTS = Message("args", "", "down", 1, False, "object", ())
LOGS = Message("args", "", "down", 1, False, "object", (("lines?", "int 1..1000", "", "how many"),))
MOST_LOG_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it came; ``retained``: the broker had kept it."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class World:
    """What the rules may know: the clock (ms, 0 when not set), this start, the log's last lines."""

    sender: Sender
    verify: Callable[[bytes, bytes], bool]
    now: int
    boot: str
    birth: dict[str, Any]
    log_lines: Sequence[str]
    defaults: dict[str, float]
    commands: Mapping[str, Message] = field(default_factory=dict[str, Message])
    """of the sentry's extras: what their arguments must be"""
    documents: Mapping[str, Message] = field(default_factory=dict[str, Message])
    """of the sentry's extras: what these must be"""


@dataclass(frozen=True, slots=True)
class Say:
    """Publish now: ``key`` and ``name`` choose topic and declaration."""

    key: str
    name: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Report a message that was refused."""

    topic: str
    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class Passed:
    """The commander's marks, stream -> seq."""

    marks: dict[str, int]


@dataclass(frozen=True, slots=True)
class Restart:
    """End, and start anew."""


@dataclass(frozen=True, slots=True)
class Order:
    """Have an extra do a command, which answers it."""

    id: str
    name: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Adopt:
    """Use the settings that the memory now holds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Have an extra make a document true, which reports on it (`report`)."""

    name: str
    rev: int
    data: Any


Action = Say | Refuse | Passed | Restart | Order | Adopt | Wanted


def hear(memory: Memory, heard: Heard, world: World) -> tuple[Memory, list[Action]]:
    """The memory to keep *before* the actions are done, and the actions."""
    try:
        address = topics.parse(heard.topic, world.sender.root)
        match address.key:
            case "stored":
                return memory, _stored(heard)
            case "leader":
                return _leader(memory, heard, world), []
            case "desired":
                return _desired(memory, address.name, heard, world)
            case "cmd":
                return _command(memory, address.name, heard, world)
            case _:
                raise Invalid("topic.channel", "is not for this node")
    except Invalid as error:
        return memory, [refusal(heard.topic, error)]


def refusal(topic: str, error: Invalid) -> Refuse:
    field, _, problem = str(error).partition(": ")
    return Refuse(_clean(topic, 512), _clean(field, 256), _clean(problem, 512))


def settings_of(memory: Memory, defaults: dict[str, float]) -> dict[str, float]:
    """The settings in force: the applied document over the defaults."""
    applied = memory.get("documents", {}).get("settings", {})
    return {**defaults, **(applied.get("data") or {})}


def reports(memory: Memory) -> list[Say]:
    """Everything reported so far, for a broker that may have forgotten it."""
    documents: dict[str, dict[str, Any]] = memory.get("documents", {})
    return [Say("reported", name, data) for name, data in documents.items()]


def wanted(memory: Memory) -> list[Wanted]:
    """The documents that extras shall make true, as they last came."""
    kept: dict[str, dict[str, Any]] = memory.get("wanted", {})
    return [Wanted(name, each["rev"], each["data"]) for name, each in kept.items()]


def report(memory: Memory, name: str, told: dict[str, Any]) -> tuple[Memory, list[Say]]:
    """An extra's report on a document: {rev, status, error, data}. One on a revision that is no longer wanted is
    dropped (0: no document has come yet); only how it ended is kept."""
    if told["rev"] != memory.get("wanted", {}).get(name, {}).get("rev", 0):
        return memory, []
    if told["status"] != "pending":
        memory = {**memory, "documents": {**memory.get("documents", {}), name: told}}
    return memory, [Say("reported", name, told)]


def restarted(memory: Memory, boot: str) -> tuple[Memory, list[Say]]:
    """The answer that a `restart` command still waits for."""
    waiting = memory.get("restart")
    if waiting is None:
        return memory, []
    rest = {key: value for key, value in memory.items() if key != "restart"}
    return rest, [ack(waiting, "done", result={"boot": boot})]


def _stored(heard: Heard) -> list[Action]:
    if not heard.payload:  # the retained topic was cleared
        return []
    return [Passed(decode(STORED, heard.payload)["marks"])]


def _leader(memory: Memory, heard: Heard, world: World) -> Memory:
    if not heard.payload:
        return memory
    body = unseal(LEADER, heard.topic, heard.payload, world.verify)
    judge_epoch(memory, body)
    return memory if memory.get("epoch") == body["epoch"] else {**memory, "epoch": body["epoch"]}


def _desired(memory: Memory, name: str, heard: Heard, world: World) -> tuple[Memory, list[Action]]:
    if not heard.payload:
        return memory, []
    body = unseal(DESIRED, heard.topic, heard.payload, world.verify)
    memory, fresh = accept_desired(memory, name, body)
    documents: dict[str, dict[str, Any]] = memory.get("documents", {})
    if not fresh and name in documents:
        return memory, [Say("reported", name, documents[name])]
    report: dict[str, Any] = {"rev": body["rev"], "status": "applied"}
    actions: list[Action] = []
    known = {"settings": SETTINGS, **world.documents}
    try:
        if name not in known:
            raise Invalid("document", "unknown; allowed: " + ", ".join(sorted(known)))
        check(known[name], body["data"])
        if name == "settings":
            report["data"] = {**world.defaults, **body["data"]}
            actions.append(Adopt())
        else:
            report["status"] = "pending"
            memory = {
                **memory,
                "wanted": {**memory.get("wanted", {}), name: {"rev": body["rev"], "data": body["data"]}},
            }
            actions.append(Wanted(name, body["rev"], body["data"]))
    except Invalid as error:
        report |= {"status": "failed", "error": _clean(str(error), 512)}
    before = documents.get(name, {}).get("data")
    if report["status"] != "applied" and before is not None:  # what was applied before is still in force
        report["data"] = before
    documents = {**documents, name: report}
    return {**memory, "documents": documents}, [*actions, Say("reported", name, report)]


def _command(memory: Memory, name: str, heard: Heard, world: World) -> tuple[Memory, list[Action]]:
    if heard.retained and not heard.payload:
        return memory, []
    if heard.retained:
        raise Invalid("retain", "a command must not be retained")
    body = unseal(CMD, heard.topic, heard.payload, world.verify)
    command: str = body["id"]
    judged = accept_command(memory, body, world.now, world.boot)
    # The ids kept are few: those of questions would push out those of deeds, which must not be done twice.
    memory = {**memory, "epoch": judged["epoch"]} if is_question(command) else judged
    known = {each: arguments for each, (arguments, _) in _COMMANDS.items()} | dict(world.commands)
    if name not in known:
        problem = {"problem": "unknown command; allowed: " + ", ".join(sorted(known))}
        return memory, [ack(command, "refused", "unknown-command", problem)]
    try:
        check(known[name], body["args"])
    except Invalid as error:
        return memory, [bad_arguments(command, error)]
    accepted = ack(command, "accepted")
    if name in world.commands:
        return memory, [accepted, Order(command, name, body["args"])]
    act = _COMMANDS[name][1]
    if act is None:
        return {**memory, "restart": command}, [accepted, Restart()]
    return memory, [accepted, ack(command, "done", result=act(body["args"], world))]


def bad_arguments(command: str, error: Invalid) -> Say:
    """Refuse a command for its arguments."""
    return ack(command, "refused", "bad-arguments", {"field": _clean(error.field, 256), "problem": error.problem})


def ack(command: str, status: str, code: str = "", result: Any = None) -> Say:
    """An answer to the command of that id."""
    data: dict[str, Any] = {"id": command, "status": status}
    if code:
        data["code"] = code
    if result is not None:
        data["result"] = result
    return Say("ack", command, data)


def _ping(_args: dict[str, Any], world: World) -> dict[str, Any]:
    return {"now": world.now, "boot": world.boot}


def _identify(_args: dict[str, Any], world: World) -> dict[str, Any]:
    birth = {key: world.birth[key] for key in ("kind", "software", "hardware")}
    return {"node": world.sender.node, "boot": world.boot, **birth}


def _logs(args: dict[str, Any], world: World) -> dict[str, Any]:
    chosen: list[str] = []
    size = 0
    for line in reversed(world.log_lines[-args.get("lines", 100) :]):
        size += len(line.encode())
        if size > MOST_LOG_BYTES:
            break
        chosen.append(_clean(line, 1024))
    return {"lines": chosen[::-1]}


# command -> what its arguments must be, and what answers it (None: a restart answers afterwards)
_COMMANDS: dict[str, tuple[Message, Callable[[dict[str, Any], World], Any] | None]] = {
    "ping": (NO_ARGUMENTS, _ping),
    "identify": (NO_ARGUMENTS, _identify),
    "logs": (LOGS, _logs),
    "restart": (NO_ARGUMENTS, None),
}


def _clean(text: str, most: int) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:most])
