"""The firmware's `network`: a Wi-Fi station as an ESP32's, among the networks that the board's description names.

A network: {"ssid", "password" (absent: open), "rssi": -60, "channel": 6, "join_ms": 1500, "hidden": false}. As on an
ESP32, a station that was told to connect tries for ever, and status() tells what its last attempt came to; a network
that disappears from the description, or changes its password, is lost.
"""

from esp_node.virtual import board, clock, state

STA_IF = 0
AP_IF = 1
AUTH_OPEN = 0
AUTH_WPA2_PSK = 3
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_BEACON_TIMEOUT = 200
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_ASSOC_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204
_SCAN_US = 2000000
_hostname = "mpy-esp32"


def hostname(name=None):
    global _hostname
    if name is None:
        return _hostname
    if len(name) > 32:
        raise ValueError("hostname too long")
    _hostname = name


def country(code=None):
    return "XX"


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __new__(cls, interface_id=STA_IF):
        if interface_id not in (STA_IF, AP_IF):
            raise ValueError("invalid WLAN interface identifier")
        # Not here: this module may be forgotten and loaded again, a firmware's is not.
        if interface_id not in board.interfaces:
            self = super().__new__(cls)
            self._station = interface_id == STA_IF
            self._on = self._joined = self._wanted = False
            self._settings = {"pm": 1, "txpower": 20.0, "reconnects": -1, "channel": 0}
            board.interfaces[interface_id] = self
        return board.interfaces[interface_id]

    def active(self, is_active=None):
        if is_active is not None:
            self._on = bool(is_active)
            if not self._on:
                self._joined = self._wanted = False
        return self._on

    def connect(self, ssid=None, key=None, *, bssid=None):
        self._need(self._on and self._station, "Wifi Not Started")
        self._need(not self._wanted or self._joined, "Wifi Internal State Error")
        if ssid is not None:
            self._ssid, self._key = ssid, key
        self._wanted, self._joined, self._outcome = True, False, STAT_CONNECTING
        self._tried = clock.now()

    def disconnect(self):
        self._need(self._on, "Wifi Not Started")
        self._joined = self._wanted = False

    def isconnected(self):
        return self.status() == STAT_GOT_IP

    def status(self, param=None):
        self._follow()
        if param == "rssi":
            self._need(self._joined, "Wifi Not Connected")
            return _signal(self._network())
        if param is not None:
            raise ValueError("unknown status param")
        return STAT_GOT_IP if self._joined else self._outcome if self._wanted else STAT_IDLE

    def scan(self):
        """[(ssid, bssid, channel, RSSI, security, hidden)], the strongest first; takes two seconds."""
        self._need(self._on and self._station, "Wifi Not Started")
        clock.sleep(_SCAN_US)
        return sorted([_seen(number, net) for number, net in enumerate(board.networks)], key=lambda one: -one[3])

    def ifconfig(self, config=None):
        self._follow()
        if self._joined:
            return "192.168.4.2", "255.255.255.0", "192.168.4.1", "192.168.4.1"
        return ("0.0.0.0",) * 4

    def ipconfig(self, param=None, **settings):
        address, mask, gateway, _ = self.ifconfig()
        known = {"addr4": (address, mask), "gw4": gateway, "dhcp4": True, "has_dhcp4": self._joined}
        if param is not None:
            return known[param]

    def config(self, param=None, **settings):
        for name in settings:
            if name not in self._settings and name not in ("hostname", "dhcp_hostname"):
                raise ValueError("unknown config param")
        self._settings.update(settings)
        if param is None:
            return None
        known = {"mac": state.unique_id, "ssid": getattr(self, "_ssid", ""), "hostname": _hostname}
        known.update(self._settings)
        if param not in known:
            raise ValueError("unknown config param")
        return known[param]

    def _follow(self):
        # What has become of the station since anybody last asked.
        now = clock.now()
        if not self._wanted:
            return
        net = self._network()
        fits = net is not None and net.get("password") == (self._key or None)
        if self._joined and not fits:
            self._joined, self._outcome, self._tried = False, STAT_BEACON_TIMEOUT, now
        elif not self._joined and now - self._tried >= (net or {}).get("join_ms", 1500) * 1000:
            self._tried = now
            self._joined = fits
            self._outcome = STAT_NO_AP_FOUND if net is None else STAT_WRONG_PASSWORD

    def _network(self):
        for net in board.networks:
            if net["ssid"] == self._ssid:
                return net
        return None

    def _need(self, condition, text):
        if not condition:
            raise OSError(text)


def _signal(net):
    rssi = net.get("rssi", -60)
    return rssi(clock.now_us / 1000000) if callable(rssi) else rssi


def _seen(number, net):
    hidden = net.get("hidden", False)
    ssid = b"" if hidden else net["ssid"].encode()
    security = AUTH_WPA2_PSK if net.get("password") else AUTH_OPEN
    return ssid, b"\x02\x00\x00\x00\x00" + bytes([number]), net.get("channel", 6), _signal(net), security, hidden
