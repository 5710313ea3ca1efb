"""Round-trip time to the broker: from a ping sent to its answer."""

NAME = "roundtrip"
FIELDS = ("rtt_ms",)
UNITS = ("ms",)


class Roundtrip:
    def __init__(self, link):
        self.link = link

    def get(self):
        """(ms of the latest round trip,), None before the first; and starts the next one."""
        latest = self.link.roundtrip_us
        if self.link.connected:
            self.link.ping()
        return (None if latest is None else latest / 1000,)


def create(node, options):
    return Roundtrip(node.link)
