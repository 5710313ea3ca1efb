"""What a node says after each connect: presence, what it listens to, who it is and what it will send. Loaded for
that, then forgotten.
"""

import json
import os

from esp_node.clock import unix_ms
from esp_node.logger import log

_PIECE = 128


def hello(node):
    """Subscribe, and say `init`, birth, standing alerts, `ready`; then everything that waits is sent again."""
    node.send("state", b"init")
    for channel in ("stored", "desired/+", "cmd/+"):
        node.link.subscribe(node.prefix + channel)
    tell(node)
    for name in node.alerts:
        node.send("alert", node.alerts[name], name)
    node.send("state", b"ready")
    if node.rig:
        node.rig.connected()
    node.outbox.rewind()
    log("info", "connected to %s:%d" % (node.link.server, node.link.port))


def tell(node, then=None):
    """Send the birth; again when the sensors or streams change. Returns `then`."""
    link = node.link
    if not link.connected:
        return then
    about = json.dumps(_about(node), separators=(",", ":"))[:-1].encode()
    path = node.folder + "parts.json"
    # What is measured is on flash as it is to be sent: no node has room for all of it.
    link.write(link.head(node.prefix + "info", len(about) + os.stat(path)[6], True, 1))
    link.write(about)
    with open(path, "rb") as file:
        file.read(1)
        piece = b","
        while piece:
            link.write(piece)
            piece = file.read(_PIECE)
    return then


def _about(node):
    return {
        "schema": 1, "boot": node.boot, "kind": "esp", "software": node.software, "hardware": node.hardware,
        "alive_ms": node.heartbeat_s * 2500, "hears_marks": node.outbox.hears_marks,
        "clock": "set" if unix_ms() else "unset",
        "limits": {"queue": node.outbox.events, "payload": node.link.limit},
    }  # fmt: skip
