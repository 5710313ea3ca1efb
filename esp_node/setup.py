"""Puts a node together at its start: who it is, and its connection. Loaded once, then forgotten."""

import binascii
import os

from esp_node import late, logger
from esp_node.link import Link
from esp_node.outbox import Outbox

_LIMIT = 4096


def fill(node):
    """Make the parts of `node`, which is as start.py left it. Returns what is to be done next."""
    given, node.given = node.given, None
    credential = given.pop("credential")
    node.name = credential["node"]
    node.verify = credential["verify"]
    node.boot = _random_name()
    node.prefix = "%s/%s/%s/self/" % (given["root"], given["domain"], node.name)
    node.outbox = _outbox(node.folder, given)
    node.link = Link(
        node.name, given["brokers"], node.name, credential["password"], node.connected, node.received,
        given["keepalive_s"], given["timeout_s"], _LIMIT,
        late.call("tls", "asked", node.folder, given) if given["ca"] else None, given.pop("buffer"),
    )  # fmt: skip
    node.link.backoff_most_ms = given["backoff_s"] * 1000
    node.link.set_last_will(node.prefix + "state", "lost", True, 1)
    node.event("evt/boot", {"boot": node.boot, "software": node.software})
    return "lean", "link", ("drive", "begin", node, given)


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
