"""The way to the broker: round-trip time of a ping, and the Wi-Fi's signal strength where there is one."""

NAME = "connectivity"
FIELDS = ("rtt_ms", "rssi_dbm")
UNITS = ("ms", "dBm")
DIGITS = (1, 0)


class Connectivity:
    def __init__(self, node):
        self._node = node  # the link comes after the sensors

    def get(self):
        """(ms of the latest round trip, dBm); None for what is not known. Sends the next ping."""
        link = self._node.link
        latest = link.roundtrip_us
        if link.connected:
            link.ping()
        return None if latest is None else latest / 1000, _rssi()


def _rssi():
    try:
        import network

        station = network.WLAN(network.STA_IF)
        return station.status("rssi") if station.isconnected() else None
    except (ImportError, AttributeError, OSError, ValueError):  # no Wi-Fi, or a port that does not tell
        return None


def create(node, options):
    from esp_node.common import take

    take(options, {})
    return Connectivity(node)
