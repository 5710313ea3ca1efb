"""Fills the slot that is not in use, some files a call: what is there already stays, what the slot in use has is
copied, the rest is for fetch.py. When all is there, main.py starts it on trial."""

import os
import sys

from esp_node import store
from esp_node.clock import mono_ms
from esp_node.files import digest_of, failure, size_of
from esp_node.manifest import Refused, entries, make_folders, other

_SLICE_MS = 100  # then sensors and link have their turn


def proceed(node):
    """Do the next things for node.job; true when there is more to do at once. A failure goes to node.wanted."""
    job = node.job
    target = node.folder + other()
    found = entries(target + "/manifest.new", job["at"])
    try:
        return _fill(node, job, target, found)
    except (Refused, OSError, ValueError) as error:
        node.wanted = (job["rev"], job["data"], failure(error))
    finally:
        found.close()


def _fill(node, job, target, found):
    ends = mono_ms() + _SLICE_MS
    for name, digest, size, then in found:
        path, before = target + "/" + name, job["done"] * 10 // (job["total"] or 1)
        if size_of(path) != size or digest_of(path) != digest:
            make_folders(path)
            used = (sys.path[0] + "/" if sys.path[0] else "") + name
            if size_of(used) != size or digest_of(used, target + "/part") != digest:
                job["fetch"] = (target + "/part", name, digest, size, path)
                return True
            os.rename(target + "/part", path)
        job["at"] = then
        job["index"] += 1
        job["done"] += size
        percent = job["done"] * 100 // (job["total"] or 1)
        if percent // 10 != before:
            node.send("reported", {"rev": job["rev"], "status": "pending", "data": {"pct": percent}}, "software")
        if mono_ms() > ends:
            return True
    return _finish(node, job, target)


def _finish(node, job, target):
    os.rename(target + "/manifest.new", target + "/manifest.json")
    state = store.read(node.folder + "slots.json", {"good": sys.path[0], "why": ""})
    state["versions"] = dict(state.get("versions", {}), **{other(): job["data"]["version"]})
    state.update({"trial": other(), "rev": job["rev"], "run": 0, "crashes": 0, "failed": [0, ""]})
    store.write(node.folder + "slots.json", state)
    node.job = None
    node.scheduler.tasks.clear()  # the node restarts
