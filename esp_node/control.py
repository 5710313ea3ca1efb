"""What the commander may tell this node: signed desired documents and commands. Everything else is
refused and reported.

Loaded for each message and then forgotten: they are rare, and their checks are the largest part of the code. What was
seen signed (epoch, revisions, command ids) is in node.seen and in <folder>seen.json. Invalid names what is wrong with
a message.
"""

from esp_node import store
from esp_node.clock import unix_ms
from esp_node.logger import last, log
from schema import judge
from schema.errors import Invalid


def desired(node, name, body):
    """The verified body of a desired document: what shall be done next."""
    if name not in ("settings", "software"):
        # Reported as well, so that whoever sent it need not wait for what never comes.
        problem = "unknown document; this node knows: settings, software"
        node.send("reported", {"rev": body["rev"], "status": "refused", "error": problem}, name)
        raise Invalid("desired", problem)
    seen, fresh = judge.accept_desired(node.seen, name, body)
    if name == "software":
        if fresh:
            store.remember(node, seen)
        return "update", "desired", node, body, fresh
    return ("settings", "desired", node, body, seen) if fresh else ("settings", "report", node)


def command(node, name, body):
    """The verified body of a command: remember it before it acts, so that it cannot act twice; answer on ack/<id>.
    Returns what is to be done next."""
    store.remember(node, judge.accept_command(node.seen, body, unix_ms(), node.boot))
    if name == "rig" and node.rig:
        return "mining.order", "obey", node, body
    answer = {"id": body["id"], "status": "done"}
    if name in _COMMANDS:
        answer["result"] = _COMMANDS[name](node)
    else:
        answer.update({"status": "refused", "code": "unknown", "result": {"allowed": _known(node)}})
    node.send("ack", answer, body["id"])


def _known(node):
    return sorted(list(_COMMANDS) + (["rig"] if node.rig else []))


def _identify(node):
    log("info", "identify: this is " + node.name)
    return {
        "node": node.name,
        "software": node.software,
        "hardware": node.hardware,
        "boot": node.boot,
    }


def _restart(node):
    node.scheduler.tasks.clear()  # the loop ends when there is nothing left to do


_COMMANDS = {
    "ping": lambda node: {"ts": unix_ms()},
    "identify": _identify,
    "restart": _restart,
    "logs": lambda node: {"lines": last()},
}
