"""Runs on CPython and MicroPython: esp_node.wifi against a WLAN with the documented API and a radio of its own."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

from esp_node import wifi

now = [0]
wifi.ticks_ms = lambda: now[0]
wifi.ticks_diff = lambda new, old: new - old


class Station:
    """Joins 2 s after connect() when the air has the network and the password is right."""

    def __init__(self, air):
        self.air = air  # ssid -> (password, dBm)
        self.up = self.scans = 0
        self.wanted = None
        self.asked = []

    def active(self, on):
        self.up = on

    def scan(self):
        assert self.up
        self.scans += 1
        return [(name.encode(), b"\0" * 6, 1, self.air[name][1], 3, False) for name in self.air]

    def connect(self, ssid, password):
        assert self.up
        if self.wanted:
            raise OSError("Wifi Internal Error")  # as an ESP32 says when it is connecting already
        self.wanted = ssid, password, now[0]
        self.asked.append(ssid)

    def disconnect(self):
        self.wanted = None

    def isconnected(self):
        if self.wanted and self.wanted[0] not in self.air:
            return False
        return bool(self.wanted) and self.air[self.wanted[0]][0] == self.wanted[1] and now[0] >= self.wanted[2] + 2000

    def status(self, what=None):
        if what == "rssi":
            return self.air[self.wanted[0]][1]
        if self.wanted and self.wanted[0] in self.air and self.air[self.wanted[0]][0] != self.wanted[1]:
            return 202
        return 1010 if self.isconnected() else 1001

    def ifconfig(self):
        return ("192.168.4.9", "255.255.255.0", "192.168.4.1", "192.168.4.1")


class Network:
    STA_IF, AP_IF, STAT_WRONG_PASSWORD = 0, 1, 202

    def __init__(self, air):
        self.station, self.point = Station(air), Station({})
        self.point.up = True
        self.named = None

    def WLAN(self, which):
        return self.point if which == self.AP_IF else self.station

    def hostname(self, name):
        self.named = name


def run(net, seconds):
    """Steps of a second until it is connected; how many it took."""
    for number in range(seconds):
        if net.step():
            return number
        now[0] += 1000
    return None


assert wifi.start([["a", "b"]]) is None  # this machine has no Wi-Fi

air = {"barn": ("pw-barn!", -70), "house": ("pw-house", -50), "other": ("x" * 8, -20)}
board = Network(air)
net = wifi.Wifi(board, [["field", "pw-field"], ["barn", "pw-barn!"], ["house", "pw-house"]], "esp-1", 15)
assert board.point.up is False and board.station.up is True and board.named == "esp-1"
assert run(net, 5) == 2 and net.ssid == "house" and net.joins == 1 and net.signal() == -50  # the strongest of ours
assert board.station.scans == 1 and all(net.step() for _ in range(50)) and board.station.asked == ["house"]

# The network goes away: the next one is joined, without any long call.
del air["house"]
assert net.step() is False and not net.connected and net.signal() is None
assert run(net, 40) is not None and net.ssid == "barn" and net.joins == 2 and net.failures == 0

# A wrong password costs one attempt, and no time limit; nothing there at all: ever longer pauses, up to a minute.
air.clear()
air["field"] = "another", -40
before = len(board.station.asked)
assert run(net, 3600) is None
asked = len(board.station.asked) - before
assert 100 < asked < 140, asked  # rounds of 2 * 15 s, and up to 60 s of rest
air["barn"] = "pw-barn!", -80
assert run(net, 120) is not None and net.ssid == "barn"

# One network: no scan.
board = Network({"barn": ("pw-barn!", -70)})
net = wifi.Wifi(board, [["barn", "pw-barn!"]], None, 15)
assert run(net, 5) == 2 and board.station.scans == 0

# The board joined by itself, as it did last time.
board = Network({"barn": ("pw-barn!", -70)})
board.station.wanted = "barn", "pw-barn!", -9999
net = wifi.Wifi(board, [["barn", "pw-barn!"]], None, 15)
assert net.step() and net.connected and net.ssid is None and board.station.asked == []
print("ok")
