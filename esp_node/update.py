"""What becomes of a desired document `software`: {"version", "manifest": sha256 in hex, "size": bytes of the manifest}.
Decides and reports; slot.py fills the slot that is not in use, fetch.py pulls the blobs for it, main.py starts it on
trial. Each is loaded by itself, because together they would not fit into the heap."""

import sys

from esp_node import store
from esp_node.files import digest_of, is_hash
from esp_node.logger import log

_MANIFEST_MOST = 65536
_CRASHES = 6  # three with all sensors, three in safe mode


def desired(node, body, _fresh):
    """A document came (control.py), new or told again after a connect."""
    node.wanted = (body["rev"], body["data"], None)
    proceed(node)


def proceed(node):
    """Take over node.wanted: (revision, document, None), or (revision, document, why it failed). Sets node.job when
    there is something to do for slot.py, else reports that the document is in use, on trial, failed or refused."""
    rev, data, error = node.wanted
    state = store.read(node.folder + "slots.json", {})
    problem = _problem(data)
    if node.job and node.job["data"] == data and not error:
        node.job["rev"] = rev
        node.wanted = None
        return
    if node.fetch:
        node.fetch.close()
    node.fetch = node.job = None
    used = digest_of((sys.path[0] + "/" if sys.path[0] else "") + "manifest.json")
    if state.get("crashes", 0) >= _CRASHES and not problem and used != data["manifest"]:
        error = error or "the node crashes over it: " + state.get("why", "")
    if problem:
        report = {"status": "refused", "error": problem}
    elif error:
        log("error", "update: failed: " + error)
        state["failed"] = [rev, error[:200]]
        _keep(node, state)
        report = {"status": "failed", "error": error[:200]}
    elif used == data["manifest"]:
        report = {"status": "applied"}
        if state.get("trial"):
            report["status"] = "pending"
            state["rev"] = rev  # confirmed as this one
            _keep(node, state)
    elif state.get("failed", (0,))[0] == rev:
        report = {"status": "failed", "error": state["failed"][1]}
    else:
        log("info", "update: to " + data["version"])
        node.job = {"rev": rev, "data": data, "tried": 0}
        report = {"status": "pending"}
    report.update({"rev": rev, "data": {"version": data["version"]} if not problem else None})
    node.send("reported", report, "software")
    node.wanted = None


def _problem(data):
    if not isinstance(data, dict) or sorted(data) != ["manifest", "size", "version"]:
        return "software: must be an object of version, manifest and size"
    if not isinstance(data["version"], str) or not 0 < len(data["version"]) <= 64:
        return "version: must be text of 1 to 64 characters"
    if not is_hash(data["manifest"]):
        return "manifest: must be a sha256 of 64 hex digits"
    if type(data["size"]) is not int or not 0 < data["size"] <= _MANIFEST_MOST:
        return "size: must be a whole number from 1 to %d" % _MANIFEST_MOST


def _keep(node, state):
    try:
        store.write(node.folder + "slots.json", state)
    except OSError as error:  # a full flash: then it is found out again after the next start
        log("error", "slots.json: %s" % error)
