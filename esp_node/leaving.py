"""The end of a node, or the begin of its deep sleep. Loaded for that."""

from esp_node import late, logger


def leave(node, word):
    """Say `word` and close the connection; what waits is kept, where there is flash for it. New settings and new
    software have let the node come to a proper end: they are confirmed."""
    link = node.link
    if link.connected:
        node.heartbeat()  # one that sleeps deeply has none while it is connected
        late.call("settings", "confirm", node)
        late.call("guard", "confirm", node)
    node.outbox.close()
    if logger.file:
        logger.file.flush()
    if link.connected:
        node.send("state", word)
        link.cb = _ignore  # too late; a document is retained
        while link.connected and link.unacked:  # closed with an answer unread, it could be lost
            link.serve(1000)
        link.disconnect()


def _ignore(topic, payload, retained):
    pass
