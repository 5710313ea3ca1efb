"""How a node runs, last of what is put together at its start: its Wi-Fi, its own tasks, how it waits and sleeps. Loaded
once, then forgotten.
"""

import gc

from esp_node import logger
from esp_node.clock import mono_ms, paced_ms

_AWAKE_MS = 5000  # of a sleeping node that does not reach the broker, and the time that this may take to answer
_LEAST_MS = 6000  # of deep sleep: to start anew takes seconds, too; and guard.py looks every five while it must
_LONGEST_S = 3600
_JOIN_MS = 15000  # more of it for the Wi-Fi


def begin(node, given):
    """Go on with setup.py; `given` is the checked config.json. Returns what is to be done next."""
    node.heartbeat_s = given["heartbeat_s"]
    node.refused = 0
    node.on_trial = 0  # heartbeats that new settings still have to survive
    node.scheduler.every(given["heartbeat_s"] * 1000, node.heartbeat, "heartbeat")
    node.wifi = _wifi(node, given)
    node.ntp = given["ntp"]
    if node.ntp:
        # It only looks whether it is time to ask; with the heartbeat, so that it wakes nobody.
        node.scheduler.every(given["heartbeat_s"] * 1000, node.sync, "time")
    node.short = 0  # times that the heap was too full for a step of an update
    node.trial_s = given["trial_s"]
    node.driver = _driver(node, given)
    logger.listener = node.log_line
    if given["log"]:
        from esp_node.logfile import initialize_logging

        initialize_logging(node.folder + given["log"]["file"], given["log"]["max_len"])
    if given["rig"]:
        from esp_node.mining.i2c_master import start as start_rig

        node.rig = start_rig(node, given["rig"])
    if hasattr(gc, "threshold"):
        gc.threshold(gc.mem_free() // 4)  # less often than start.py wanted it
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
        from esp_node.sleep import Light, reasons

        return paced_ms, Light(mono_ms, node.serve, reasons(node), awake_ms, nap_ms).wait
    if given["sleep"] == "deep":
        from esp_node.sleep import Deep, reasons

        path = node.folder + "sleep.json"
        deep = Deep(node.scheduler, paced_ms, node.serve, reasons(node), path, node.leave, _LEAST_MS, awake_ms, nap_ms)
        return deep.clock, deep.wait
    return paced_ms, node.serve
