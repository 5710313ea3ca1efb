"""The beginning of an update: the slot that is not in use is emptied, unless what is in it belongs to the same update;
the manifest is fetched into it, as `manifest.new` until all is there, and the room on flash is looked at."""

import os

from esp_node import store
from esp_node.files import digest_of, failure, size_of
from esp_node.manifest import Refused, entries, make_folders, other


def proceed(node):
    """Do the next thing for node.job; true when there is more to do at once. A failure goes to node.wanted."""
    job = node.job
    try:
        return _prepare(node, job)
    except (Refused, OSError, ValueError) as error:
        node.wanted = (job["rev"], job["data"], failure(error))


def _prepare(node, job):
    if store.read(node.folder + "slots.json", {}).get("trial"):
        return False  # what runs here is not confirmed yet, and the other slot is the way back
    target, wanted = node.folder + other(), job["data"]["manifest"]
    new = target + "/manifest.new"
    if digest_of(target + "/manifest.json") == wanted:
        os.rename(target + "/manifest.json", new)
    if digest_of(new) != wanted:
        _empty(target)
        make_folders(new)
        job["fetch"] = (target + "/part", "manifest", wanted, job["data"]["size"], new)
        return True
    total = missing = 0
    room = os.statvfs(target)
    for name, _, size, _ in entries(new):
        total += size
        if size_of(target + "/" + name) != size:
            missing += (size // room[0] + 1) * room[0]
    if missing > room[1] * room[4]:
        raise Refused("no room on flash: needs %d bytes, free are %d" % (missing, room[1] * room[4]))
    job.update({"index": 0, "at": 0, "done": 0, "total": total})
    return True


def _empty(folder, spare=("main.py", "slots.mpy")):  # a slot made by hand may hold them
    if size_of(folder) is not None:
        for name in os.listdir(folder):
            path = folder + "/" + name
            if os.stat(path)[0] & 0x4000:
                _empty(path, ())
                os.rmdir(path)
            elif name not in spare:
                os.remove(path)
