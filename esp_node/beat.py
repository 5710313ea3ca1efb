"""A heartbeat. Loaded for each: it comes every few seconds, or minutes."""

import gc

from esp_node import logger
from esp_node.clock import mono_ms, paced_ms, unix_ms


def beat(node):
    """Say how the node is, and do what is to be done now and then; what waits for a proof that the link works is
    confirmed: returns what is to be done for that. mem_free is what is left with this module in the heap."""
    node.refused = 0
    if logger.file:
        logger.file.tick()
    node.outbox.tick(mono_ms())
    data = _counters(node.outbox, node.link)
    data["ts"] = unix_ms()
    data["uptime_s"] = mono_ms() // 1000
    if hasattr(gc, "mem_free"):
        data["mem_free"] = gc.mem_free()
    node.send("tele", data, "node")
    for framed in node.framed:
        framed.frames.expire(paced_ms())
    if node.on_trial and node.link.connected:
        node.on_trial -= 1
        if not node.on_trial:
            return "settings", "confirm", node


def _counters(outbox, link):
    # Events held and given up, faults of the flash, connections after the first, publishes that a link that was down
    # did not send, messages too large to take, and packets that were none. pacing.py names them, too.
    return {
        "queue": len(outbox), "dropped": outbox.dropped, "flash_faults": outbox.spill.faults if outbox.spill else 0,
        "reconnects": link.reconnects, "unsent": link.unsent, "too_large": link.too_large,
        "bad_packets": link.bad_packets,
    }  # fmt: skip
