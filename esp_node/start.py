"""Before the node runs: its configuration, and its credential, for which it may have to enrol. Loaded once, then
forgotten.
"""

import sys

from esp_node import late, store
from esp_node.scheduler import Scheduler
from schema.errors import Invalid

SOFTWARE = "farmhand esp_node 0.1.0"
# Loaded once while the heap is empty: their names stay for ever, and shall stay in one place.
_WARM = (
    "verify", "control", "settings", "measuring", "config", "pacing", "streaming", "chains", "streams", "graph",
    "birth", "setup", "dial", "steps._options", "steps._step",
)  # fmt: skip


def begin(node, path):
    """Prepare `node`, and make what it measures. Returns the exit code, 0 when all is well."""
    for module in _WARM:
        late.call(module, None)
    try:
        code = prepare(node, path)
        if code == 0:
            try:
                late.chain("measuring", "resume", node)
            except Invalid as error:
                late.chain("measuring", "without", node, error)
        return code
    except Invalid as error:
        print("esp_node: %s: %s" % (path, error))
        return 2


def prepare(node, path):
    """Fill `node` with what the file `path` says: given, credential {node, password, verify, epoch}, path, folder,
    software, hardware, safe. Returns the exit code, 0 when all is well.
    """
    node.path = path
    node.safe = late.call("guard", "safe", path)  # why it is to run without sensors and streams, or None
    node.folder = path[: path.rfind("/") + 1]
    node.software = SOFTWARE
    node.hardware = getattr(sys.implementation, "_machine", sys.platform)[:128]
    try:
        node.given = late.call("config", "load", path)
        problem, node.credential = _credential(node)
    except (Invalid, OSError) as error:
        print("esp_node: %s: %s" % (path, error))
        return 2
    if problem:
        print("esp_node: token: refused: " + problem)
        return 3
    node.lossy = node.given["lossy"]
    node.scheduler = Scheduler(node.task_failed, node.task_recovered)
    node.sensors = {}  # name -> sensor object
    node.tasks = []  # of the sensors
    node.alerts = {}  # name -> payload of its retained message, empty when it is none
    node.adopting = None  # the settings document that is being applied, with what is to be remembered then
    node.framed = []  # sinks of the streams that are sent in frames
    return 0


def _credential(node):
    if node.given["token"] is None:
        return None, node.given
    known = store.read(node.folder + "credential.json", None)
    if known:
        return None, known
    return late.call("enrol", "enrol", node.given, node.folder, node.software, node.hardware)
