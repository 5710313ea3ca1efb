"""Before the node runs: its configuration, and its credential, for which it may have to enrol.
Loaded once, then forgotten."""

import sys

from esp_node import late, store
from schema.errors import Invalid


def prepare(path, software):
    """(exit code, configuration, credential {node, password, verify, epoch}, hardware) for the
    file `path`; the code is 0 when all is well."""
    hardware = getattr(sys.implementation, "_machine", sys.platform)[:128]
    try:
        given = late.call("esp_node.config", "load", path)
        problem, credential = _credential(given, path[: path.rfind("/") + 1], software, hardware)
    except (Invalid, OSError) as error:
        print("esp_node: %s: %s" % (path, error))
        return 2, None, None, hardware
    if problem:
        print("esp_node: token: refused: " + problem)
        return 3, None, None, hardware
    return 0, given, credential, hardware


def _credential(given, folder, software, hardware):
    if given["token"] is None:
        return None, given
    known = store.read(folder + "credential.json", None)
    if known:
        return None, known
    return late.call("esp_node.enrol", "enrol", given, folder, software, hardware)
