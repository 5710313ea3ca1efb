"""What the loop does now and then: a step of an update, or a key on the console. Loaded for each."""

from esp_node import late

_PATIENCE = 50  # times that the heap may be too full for a step of an update: what fills it comes and goes


def run(node):
    """Do what there is to do; true when there is more of it at once."""
    if node.console and node.console.poll(0):
        _key(node)
    try:
        return _update(node)
    except MemoryError:
        node.short += 1
        if node.short > _PATIENCE:
            raise


def _update(node):
    if node.wanted:
        return late.call("update", "proceed", node)
    if node.fetch:
        return node.fetch.step()
    if node.job:
        if "fetch" in node.job:
            return late.call("fetch", "proceed", node)
        if "index" in node.job:
            return late.call("slot", "proceed", node)
        return late.call("prepare", "proceed", node)


def _key(node):
    try:
        page = late.call("menu", "serve", node)
        if page:
            late.call(page[0], page[1], node, *page[2:])
    except Exception as error:  # a full heap, most likely
        print("menu: %s: %s" % (type(error).__name__, error))
        node.menu = ""
