"""The node's part in what main.py watches: it confirms a start, leaves safe mode, and feeds the watchdog. State:
slots.json, explained in slots.py. Loaded for a call, then forgotten."""

import sys

from esp_node import late, store
from esp_node.clock import mono_ms
from esp_node.logger import log

_CRASHES = 3  # in a row, then safe mode
_CHECK_MS = 5000
_HOUR_MS = 3600000


def before(path):
    """Of a start with the config.json at `path`: (why it is one in safe mode, or None; what the farm calls the software
    of this slot, None when it did not come from there)."""
    state, why = store.read(path[: path.rfind("/") + 1] + "slots.json", {}), None
    if not state.get("trial") and state.get("crashes", 0) >= _CRASHES:
        why = "%d crashes in a row, the last: %s" % (state["crashes"], state.get("why", ""))
        log("critical", "safe mode: " + why)
    return why, state.get("versions", {}).get(sys.path[0])


def begin(node, watchdog_s, deep):
    """See to it that this start is confirmed, and start the watchdog. A node in `deep` sleep confirms its starts when
    it goes to sleep: a look every few seconds would keep it awake, which only a trial and safe mode are worth. Returns
    what is to be done next."""
    state = _read(node)
    node.linked = None
    node.feed = _watchdog(watchdog_s) if watchdog_s else None
    if node.safe:
        late.call("trouble", "alert", node, "safe-mode", node.safe)
        state["alerted"] = True
        store.write(node.folder + "slots.json", state)
    if "run" in state and (node.safe or state.get("trial") or not deep and (state["run"] or state.get("crashes"))):
        node.scheduler.every(_CHECK_MS, node.watch, "guard")
    return "menu", "console", node


def check(node, seen):
    """Every five seconds until there is nothing left to watch. `seen` is what it returned the last time: which
    connection there is, or None."""
    link, state = node.link, _read(node)
    if state.get("run") == 1:
        if link.connected and seen == link.reconnects:
            confirm(node)
        elif state.get("trial") and mono_ms() > node.trial_s * 1000:
            why = "no connection within %d s" % node.trial_s
            state.update({"run": 2, "crashes": state["crashes"] + 1, "why": why})
            store.write(node.folder + "slots.json", state)
            node.scheduler.tasks.clear()
        return link.reconnects if link.connected else None
    elif node.safe or state.get("crashes"):
        if mono_ms() > _HOUR_MS:
            state["crashes"] = 0
            store.write(node.folder + "slots.json", state)
            if node.safe:
                log("info", "an hour of safe mode is over: restart")
                node.scheduler.tasks.clear()
    else:
        for task in [task for task in node.scheduler.tasks if task.name == "guard"]:
            node.scheduler.cancel(task)


def confirm(node):
    """This start is a good one: connected for some seconds, or about to sleep after having been connected. Ends a
    trial and reports it; clears the alert of an earlier start in safe mode. Once more after that, a deep sleep later or
    at the end: crashes before do not count any more."""
    state = _read(node)
    if state.get("run") == 0 and state.get("crashes") and not node.safe:
        state["crashes"] = 0
        store.write(node.folder + "slots.json", state)
    if state.get("run") != 1:
        return
    state["run"] = 0
    trial = state.get("trial")
    if trial:
        state.update({"good": trial, "trial": None, "crashes": 0})
    alerted = state.get("alerted") and not node.safe
    if alerted:
        state["alerted"] = False
    store.write(node.folder + "slots.json", state)
    if trial:
        log("info", "update: confirmed, %s is in use" % trial)
        data = {"version": state.get("versions", {}).get(trial), "slot": trial}
        node.send("reported", {"rev": state["rev"], "status": "applied", "data": data}, "software")
    if alerted:
        late.call("trouble", "alert", node, "safe-mode")


def _watchdog(seconds):
    # feed() of the board's watchdog with this time-out, or a shorter one where the board knows no longer; or None.
    try:
        from machine import WDT
    except ImportError:
        return None
    for options in ({"timeout": seconds * 1000}, {"timeout": 8000}, {}):
        try:
            return WDT(**options).feed
        except (ValueError, TypeError):
            pass


def _read(node):
    """slots.json as main.py left it."""
    return store.read(node.folder + "slots.json", {})
