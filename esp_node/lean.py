"""What has done its work leaves the heap. Loaded for that."""

import sys

# What create() and the node ask of a sensor's module; get() may use all else.
_OF_SENSOR = ("NAME", "UNITS", "OPTIONS", "create", "__file__")


def sensors(modules):
    """Take what only create() needed out of the modules of sensors, when there is nothing left to create."""
    for module in modules:
        left = {name: value for name, value in module.__dict__.items() if name not in _OF_SENSOR}
        module.__dict__.clear()  # for its table keeps the size that it once had
        module.__dict__.update(left)


def link(then):
    """Take out what the one link of a node, and its outbox, were made with. Returns `then`, what is to be done next."""
    from esp_node.link import Link, MQTTClient
    from esp_node.outbox import Outbox

    for made in (MQTTClient, Link, Outbox):
        made.__init__ = None
    MQTTClient.set_last_will = None
    # The functions go on without the modules, and nobody else looks for these.
    for name in ("umqtt.simple", "umqtt"):
        if name in sys.modules:
            sys.modules[name].__dict__.clear()
            del sys.modules[name]
    return then
