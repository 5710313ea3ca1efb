"""Puts a node together at its start: who it is, its queue and its link; setup_loop.py does the rest. Loaded once, then
forgotten."""

import binascii
import os

from esp_node import late, logger, store
from esp_node.link import Link
from esp_node.outbox import Outbox

_LIMIT = 4096


def fill(node):
    """Make the parts of `node`, which has `given` (the checked config.json), `credential`, `path` and `folder`. Returns
    what is to be done next.
    """
    given, credential = node.given, node.credential
    node.credential = None
    node.name = credential["node"]
    node.verify = credential["verify"]
    node.seen = store.read(node.folder + "seen.json", {"epoch": credential.get("epoch", 0)})
    node.boot = _random_name()
    node.prefix = "%s/%s/%s/self/" % (given["root"], given["domain"], node.name)
    node.heartbeat_s = given["heartbeat_s"]
    node.refused = 0
    node.on_trial = 0  # heartbeats that new settings still have to survive
    node.outbox = _outbox(node.folder, given)
    node.link = Link(
        node.name, given["brokers"], node.name, credential["password"], node.connected, node.received,
        given["keepalive_s"], given["timeout_s"], _LIMIT,
        late.call("tls", "asked", node.folder, given) if given["ca"] else None, node.buffer,
    )  # fmt: skip
    node.buffer = None
    node.link.backoff_most_ms = given["backoff_s"] * 1000
    node.link.set_last_will(node.prefix + "state", "lost", True, 1)
    return "setup_loop", "fill", node


def _outbox(folder, given):
    stream, spill = _random_name(), None
    if given["spill_bytes"]:
        from esp_node.spill import Spill

        try:
            spill = Spill(folder + "spill", given["spill_bytes"], stream)
        except OSError as error:
            logger.log("error", "spill: the flash cannot be used: %s" % error)
    return Outbox(stream, given["queue"]["events"], given["queue"]["bytes"], given["hears_marks"], spill)


def _random_name():
    return "e-" + str(binascii.hexlify(os.urandom(8)), "ascii")
