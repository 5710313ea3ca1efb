"""Before the node runs: its configuration, and its credential, for which it may have to enrol. Loaded once, then
forgotten.
"""

import gc
import sys

from esp_node import late, store
from esp_node.scheduler import Scheduler
from schema.errors import Invalid

_BUFFER = 512  # see link.py
SOFTWARE = "farmhand esp_node 0.1.0"


def begin(node, path):
    """Prepare `node` for what the file `path` says: given (configuration, with "credential" {node, password, verify,
    epoch} and the link's "buffer"), path, folder, software, hardware, safe (why it is to run without sensors and
    streams, or None). node.code is 0 then, or the exit code when it cannot start; Invalid when the configuration is
    wrong. Returns what is to be done next.
    """
    # Garbage that is left until the heap is full drives what is to stay apart, and nothing large finds room between.
    if hasattr(gc, "threshold"):
        gc.threshold((gc.mem_alloc() + gc.mem_free()) // 32)
    # What needs much room in one place comes first: a buffer, and the table of the node's attributes.
    buffer = bytearray(_BUFFER)
    node.code = node.given = node.scheduler = node.sensors = node.tasks = node.alerts = None
    # `adopting`: the settings document that is being applied, with what is to be remembered then.
    node.adopting = node.framed = node.lossy = node.name = node.verify = node.seen = node.boot = node.prefix = None
    node.heartbeat_s = node.refused = node.on_trial = node.outbox = node.link = node.wifi = node.ntp = None
    node.wanted = node.job = node.fetch = node.short = node.trial_s = node.driver = None
    node.linked = node.feed = node.menu = node.console = node.path = node.folder = node.safe = node.software = None
    node.hardware = node.rig = None
    node.code = 2
    node.path = path
    node.folder = path[: path.rfind("/") + 1]
    node.safe, version = late.call("guard", "before", path)
    node.software = SOFTWARE[: SOFTWARE.rfind(" ") + 1] + version if version else SOFTWARE
    node.hardware = getattr(sys.implementation, "_machine", sys.platform)[:128]
    try:
        given = late.call("config", "load", path)
        late.call("settings", "check_given", given)
        given["sensors"] = given["streams"] = None  # measuring.py reads them again
        problem, credential = _credential(node, given)
    except OSError as error:
        raise Invalid("config", str(error))
    if problem:
        print("esp_node: token: refused: " + problem)
        node.code = 3
        return
    given["credential"], given["buffer"] = credential, buffer
    node.given = given
    node.seen = store.read(node.folder + "seen.json", {"epoch": credential.get("epoch", 0)})
    node.lossy = given["lossy"]
    node.scheduler = Scheduler(node.task_failed, node.task_recovered)
    node.sensors = {}  # name -> sensor object
    node.tasks = []  # of the sensors
    node.alerts = {}  # name -> payload of its retained message, empty when it is none
    node.framed = []  # sinks of the streams that are sent in frames
    node.code = 0
    return "measuring", "resume", node


def _credential(node, given):
    if given["token"] is None:
        return None, given
    known = store.read(node.folder + "credential.json", None)
    if known:
        return None, known
    return late.call("enrol", "enrol", given, node.folder, node.software, node.hardware)
