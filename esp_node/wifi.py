"""Wi-Fi: join one of several networks, and join again whenever it is lost. The loop calls step(); it never waits."""

from esp_node.clock import ticks_diff, ticks_ms
from esp_node.logger import log

_PAUSE_MS = 2000
_PAUSE_MOST_MS = 60000


def start(networks, hostname=None, limit_s=15):
    """A Wifi that is about to join one of `networks` [[ssid, password], ...], or None on a machine without Wi-Fi."""
    try:
        import network
    except ImportError:
        return None
    return Wifi(network, networks, hostname, limit_s)


class Wifi:
    """The station interface of the module `network`; the board's own access point is switched off. Several networks
    are tried by signal strength, unheard ones (hidden?) last; each for at most `limit_s`, and after a round in vain
    there is a pause, ever longer, up to a minute. To read: connected, ssid (of the network joined), joins, failures.
    """

    def __init__(self, network, networks, hostname, limit_s):
        self.networks = networks
        self.limit_s = limit_s
        self.connected = False
        self.ssid = None
        self.joins = self.failures = 0
        self._fatal = [getattr(network, name, None) for name in ("STAT_WRONG_PASSWORD", "STAT_NO_AP_FOUND")]
        self._round = []  # networks still to try
        self._trying = False
        self._since = ticks_ms()
        self._wait = 0  # ms from then to the next attempt
        self._rounds = 0  # in vain
        network.WLAN(network.AP_IF).active(False)
        if hostname and hasattr(network, "hostname"):
            network.hostname(hostname[:32])
        self._station = network.WLAN(network.STA_IF)
        self._station.active(True)
        if hostname and not hasattr(network, "hostname"):  # MicroPython before 1.20
            self._station.config(dhcp_hostname=hostname[:32])

    def step(self):
        """Call it every second or so; true while there is a network. Longest with several networks to choose from: a
        scan takes the radio 2 to 3 s, and happens only while there is none."""
        if self._station.isconnected():
            if not self.connected:
                self._joined()
            return True
        if self.connected:
            self.connected = False
            log("warning", "wifi: %s is lost" % self.ssid)
            self._begin(0)
        elif self._trying:
            spent = ticks_diff(ticks_ms(), self._since)
            failed = self._station.status() in self._fatal
            if failed or not 0 <= spent < self.limit_s * 1000:
                self._failed("refused, or not there" if failed else "not joined in %d s" % self.limit_s)
        elif not 0 <= ticks_diff(ticks_ms(), self._since) < self._wait:
            self._next()
        return False

    def signal(self):
        """Signal strength in dBm, or None while there is none."""
        try:
            return self._station.status("rssi") if self.connected else None
        except (OSError, ValueError, TypeError):  # not every port tells
            return None

    def _joined(self):
        self.connected = True
        self.joins += 1
        self._trying = False
        self._round = []
        self._rounds = 0
        name = self.ssid or "the network of last time"  # which a board may join by itself
        log("info", "wifi: joined %s as %s" % (name, self._station.ifconfig()[0]))

    def _next(self):
        try:
            if not self._round:
                self._round = self._by_signal() if len(self.networks) > 1 else list(self.networks)
            self.ssid, password = self._round.pop(0)
            self._trying = True
            self._since = ticks_ms()
            self._station.connect(self.ssid, password or None)
        except OSError as error:
            self._failed(str(error))

    def _failed(self, why):
        self.failures += 1
        if self._rounds < 3:
            log("warning", "wifi: %s: %s" % (self.ssid, why))
        if self._round:
            self._begin(0)
        else:
            self._begin(min(_PAUSE_MS << min(self._rounds, 8), _PAUSE_MOST_MS))
            self._rounds += 1

    def _begin(self, wait):
        self._trying = False
        self._since = ticks_ms()
        self._wait = wait
        try:
            self._station.disconnect()  # else the next connect() is refused while the last one still goes on
        except OSError:
            pass

    def _by_signal(self):
        heard = {}
        for found in self._station.scan():  # (ssid, bssid, channel, RSSI, ...)
            heard[found[0]] = max(found[3], heard.get(found[0], -200))
        order = [(-heard.get(self.networks[at][0].encode(), -200), at) for at in range(len(self.networks))]
        return [self.networks[at] for _, at in sorted(order)]
