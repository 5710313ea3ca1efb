"""Chains as a node makes them, one part after the other."""

from esp_node import late


def build(streams, sensors, sink):
    """See chains.joined()."""
    made = late.call("graph", "made", late.call("streams", "settled", streams), sensors)
    return late.call("chains", "joined", made, sensors, sink)
