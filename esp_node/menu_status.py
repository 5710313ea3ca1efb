"""Pages of the menu: status and statistics."""

import gc
import sys
import time

from esp_node.clock import unix_ms
from esp_node.menu_text import line, prompt


def status(node):
    """Who this is and how it stands."""
    link, now = node.link, unix_ms()
    line("node", "%s in %s" % (node.name, node.prefix[: -7 - len(node.name)]))
    line("hardware", node.hardware)
    line("slot", sys.path[0] or "beside main.py")
    line("broker", "%s:%d, %s" % (link.server, link.port, "connected" if link.connected else "not connected"))
    line("clock", "%04d-%02d-%02d %02d:%02d:%02d UTC" % time.gmtime()[:6] if now else "not set")
    line("boot", node.boot)
    line("mode", "safe mode: " + node.safe if node.safe else "normal")
    if node.job:
        line("update", "to %s, %d files so far" % (node.job["data"]["version"], node.job.get("index", 0)))
    prompt(node)


def statistics(node):
    """Counters."""
    gc.collect()
    if hasattr(gc, "mem_free"):
        line("heap", "%d B free, %d B used" % (gc.mem_free(), gc.mem_alloc()))
    outbox, trip = node.outbox, node.link.roundtrip_us
    line("queue", "%d events, %d B; %d dropped" % (len(outbox), outbox.held, outbox.dropped))
    line("link", "%d reconnects, %d unacknowledged" % (max(0, node.link.reconnects), node.link.unacked))
    line("round trip", "unknown" if trip is None else "%.1f ms" % (trip / 1000))
    line("refused", "%d messages since the last heartbeat" % node.refused)
    for task in node.scheduler.tasks:
        line(task.name, "every %s s, %d failures" % (task.interval / 1000, task.failures))
    prompt(node)
