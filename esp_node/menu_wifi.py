"""Page of the menu: the Wi-Fi. The scan keeps the node for the 2 to 3 s that the radio takes."""

from esp_node.menu_text import line, prompt


def wifi(node):
    """The station, and the networks it sees: the scan keeps the node for the 2 to 3 s that the radio takes."""
    wlan = _station()
    if wlan is None:
        print("  no Wi-Fi on this machine")
        return prompt(node)
    line("station", "connected, %s" % wlan.ifconfig()[0] if wlan.isconnected() else "not connected")
    try:
        line("signal", "%d dBm" % wlan.status("rssi"))
    except Exception:  # not connected, or a port that does not tell
        line("signal", "unknown")
    print("\n  networks seen")
    try:
        for found in sorted(wlan.scan(), key=lambda found: -found[3]):
            line(str(found[0], "utf-8"), "%4d dBm, channel %d%s" % (found[3], found[2], "" if found[4] else ", open"))
    except (OSError, ValueError) as error:
        line("scan", "error: %s" % error)
    print("\nr: reconnect, any other key: the menu: ", end="")
    node.menu = "wifi"


def reconnect(node):
    """Leave the network and join it again."""
    print("reconnect")
    wlan = _station()
    if wlan:
        wlan.disconnect()
        wlan.connect()  # with the network and key of the last time
    prompt(node)


def _station():
    try:
        import network
    except ImportError:
        return None
    return network.WLAN(network.STA_IF)
