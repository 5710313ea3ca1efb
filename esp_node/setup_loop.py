"""Puts a node together at its start: its loop, and what runs in it. After setup.py, because both would need more room
at once. Loaded once, then forgotten."""

from esp_node import logger
from esp_node.clock import mono_ms, paced_ms

_AWAKE_MS = 5000  # of a sleeping node that does not reach the broker, and the time that this may take to answer
_LEAST_MS = 6000  # of deep sleep: to start anew takes seconds, too; and guard.py looks every five while it must
_LONGEST_S = 3600
_JOIN_MS = 15000  # more of it for the Wi-Fi


def fill(node):
    """Make what is left of `node`, out of `given`. Returns what is to be done next."""
    given = node.given
    node.given = None
    node.scheduler.every(given["heartbeat_s"] * 1000, node.heartbeat, "heartbeat")
    node.wifi = _wifi(node, given)
    node.ntp, node.syncs = given["ntp"], 0
    if node.ntp:
        # It only looks whether it is time to ask; with the heartbeat, so that it wakes nobody.
        node.scheduler.every(given["heartbeat_s"] * 1000, node.sync, "time")
    node.short = 0  # times that the heap was too full for a step of an update
    node.trial_s = given["trial_s"]
    node.clock, node.wait = _driver(node, given)
    node.event("evt/boot", {"boot": node.boot, "software": node.software})
    logger.listener = node.log_line
    if given["log"]:
        from esp_node.logfile import initialize_logging

        initialize_logging(node.folder + given["log"]["file"], given["log"]["max_len"])
    return "guard", "begin", node, given["watchdog_s"], given["sleep"] == "deep"


def _wifi(node, given):
    if not given["wifi"]:
        return None
    from esp_node.wifi import start

    return start(given["wifi"], given["hostname"] or node.name)


def _driver(node, given):
    # (clock, wait) for the scheduler's loop. No nap is so long that the broker or the watchdog loses patience.
    nap_ms = min(given["keepalive_s"], given["watchdog_s"] or _LONGEST_S) * 500
    awake_ms = _AWAKE_MS + given["timeout_s"] * 1000 + (_JOIN_MS if given["wifi"] else 0)
    if given["sleep"] == "light":
        from esp_node.sleep import Light

        return paced_ms, Light(mono_ms, node.serve, node.busy, awake_ms, nap_ms).wait
    if given["sleep"] == "deep":
        from esp_node.sleep import Deep

        path = node.folder + "sleep.json"
        deep = Deep(node.scheduler, paced_ms, node.serve, node.busy, path, node.leave, _LEAST_MS, awake_ms, nap_ms)
        return deep.clock, deep.wait
    return paced_ms, node.serve
