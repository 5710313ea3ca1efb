"""Builds the board that a description names, and follows the file of a live one.

A description: {"devices": [{"device": "dht22", "pin": 14, "temp_c": 21.5, "fault": null}, ...],
"networks": [{"ssid": "barn", "password": "...", "rssi": -61}], "encoders": 0, "unique_id": "246f28000001",
"unix_s": 946684800, "skips_deepsleep": false}. `unix_s` is what a live board's clock says at power-on, by default the
host's time; with `skips_deepsleep` a deep sleep is over at once, and the clock goes on as if it had not been.
"""

import binascii
import json
import os
import sys

from esp_node.virtual import clock, pins, state
from schema.errors import Invalid

devices = []
networks = []
interfaces = {}  # of the station and the access point, see network.py
encoders = 0  # decoders in hardware that machine.Encoder has; an ESP8266 has none
skips_deepsleep = False
_LOOK_US = 1000000
_path = None
_seen = None


def install():
    """For tests: `import time` and `import machine` mean the virtual ones from now on; an empty board, virtual time."""
    from esp_node.virtual import machine, time

    _clear()
    clock.start()
    state.power_on()
    sys.modules["time"] = time
    sys.modules["machine"] = machine
    folder = __file__.replace("\\", "/").rsplit("/", 1)[0]
    if folder not in sys.path:
        sys.path.append(folder)  # where network, dht and onewire are found


def attach(description):
    """Put all that a description (dict) names on the board. Returns its devices, in order."""
    global encoders
    networks.extend(description.get("networks", ()))
    encoders = description.get("encoders", 0)
    if "unique_id" in description:
        state.unique_id = binascii.unhexlify(description["unique_id"])
    entries = description.get("devices", ())
    devices.extend([_device(number, entry) for number, entry in enumerate(entries)])
    return devices[len(devices) - len(entries) :]


def live(path=None):
    """Real time, and the board of the JSON file `path` (default: FARMHAND_BOARD); its devices follow changes of it."""
    global _path, _seen, skips_deepsleep
    _path = path or os.getenv("FARMHAND_BOARD")
    if not _path:
        raise Invalid("FARMHAND_BOARD", "must name a board.json")
    _clear()
    _seen = _stamp()
    with open(_path) as file:
        description = json.load(file)
    state.power_on(_path[: _path.rfind("/") + 1])
    if "unix_s" in description and state.cause == state.PWRON:
        state.set_ahead(description["unix_s"] * 1000000 - clock.host.time_ns() // 1000)
    skips_deepsleep = description.get("skips_deepsleep", False)
    clock.start(live=True)
    attach(description)
    clock.at(_LOOK_US, _look)


def _clear():
    global encoders
    encoders = 0
    devices.clear()
    networks.clear()
    interfaces.clear()
    pins.clear()
    for name in ("i2c", "adc"):
        module = sys.modules.get("esp_node.virtual." + name)
        if module:
            module.detach_all()


def _device(number, entry):
    name = "esp_node.virtual.devices." + str(entry.get("device"))
    try:
        __import__(name)
        return sys.modules[name].create(entry)
    except ImportError:
        raise Invalid("devices[%d].device" % number, "unknown: %s" % entry.get("device"))
    except KeyError as error:
        raise Invalid("devices[%d].%s" % (number, error.args[0]), "must be given")


def _look(_):
    global _seen
    try:
        stamp = _stamp()
        if stamp != _seen:
            with open(_path) as file:
                _follow(json.load(file))
            # Stamps count seconds: a file of this very second may change again unseen.
            _seen = stamp if stamp[0] < clock.host.time() - 1 else None
    except (OSError, ValueError, AttributeError) as error:
        print("board: %s: %s; as before" % (_path, error))
    clock.at(clock.real_us() + _LOOK_US, _look)


def _stamp():
    status = os.stat(_path)
    return status[8], status[6]


def _follow(description):
    networks[:] = description.get("networks", ())
    for device, entry in zip(devices, description.get("devices", ())):
        entry.setdefault("fault", None)  # who removes the word mends the device
        device.set(entry)
