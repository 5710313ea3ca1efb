"""Runs on CPython and MicroPython: esp_node.wifi on the virtual board, in virtual time."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

from esp_node.virtual import board

board.install()
board.attach(
    {
        "networks": [
            {"ssid": "barn", "password": "pw-barn!", "rssi": -70},
            {"ssid": "house", "password": "pw-house", "rssi": -50},
            {"ssid": "other", "password": "pw-other", "rssi": -20},
        ]
    }
)

import time  # noqa: E402 (the board's)

from esp_node import wifi  # noqa: E402


def run(net, seconds):
    """Steps of a second until it is connected; whether it is."""
    slowest = 0
    for _ in range(seconds):
        began = time.ticks_ms()
        if net.step():
            assert slowest < 2200, slowest  # a scan; nothing else takes time
            return True
        slowest = max(slowest, time.ticks_diff(time.ticks_ms(), began))
        time.sleep_ms(1000)
    return False


net = wifi.start([["field", "pw-field"], ["barn", "pw-barn!"], ["house", "pw-house"]], "esp-1", 15)
assert run(net, 10) and net.ssid == "house" and net.signal() == -50 and net.joins == 1
import network  # noqa: E402

assert network.hostname() == "esp-1" and not network.WLAN(network.AP_IF).active()
del board.networks[1]
assert not net.step() and net.signal() is None
assert run(net, 60) and net.ssid == "barn" and net.joins == 2
board.networks[0]["password"] = "changed"
assert not net.step() and not run(net, 600)
board.networks[0]["password"] = "pw-barn!"
assert run(net, 150) and net.joins == 3
print("ok")
