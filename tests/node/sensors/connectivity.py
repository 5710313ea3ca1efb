"""Connectivity: the round trip that the link measured, and the Wi-Fi's signal where there is one."""

import sys

from _rig import refuses, time

from esp_node.sensors import connectivity
from esp_node.virtual import board


class Link:
    """The part of esp_node.link.Link that the sensor sees; that one is tested on a real broker."""

    connected = False
    roundtrip_us = None
    pings = 0

    def ping(self):
        self.pings += 1


class Node:
    link = Link()


link = Node.link
sensor = connectivity.create(Node, {})
sys.modules["network"] = None
assert sensor.get() == (None, None)
assert link.pings == 0
del sys.modules["network"]
link.connected = True
link.roundtrip_us = 12345
assert sensor.get() == (12.345, None)
assert link.pings == 1

board.networks.append({"ssid": "barn", "password": "secret", "rssi": lambda s: -60 - s % 2})
import network  # noqa: E402  (the virtual one)

station = network.WLAN(network.STA_IF)
station.active(True)
station.connect("barn", "secret")
assert sensor.get() == (12.345, None)
time.sleep(3)
assert -62 <= sensor.get()[1] <= -60
board.networks.clear()
assert sensor.get()[1] is None
refuses(connectivity, {"pin": 1}, "pin", "allowed: none")
print("ok")
