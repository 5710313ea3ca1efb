# farmhand: begin (`farmhand node flash` writes this part; what stands outside of it is yours)
try:
    import esp

    esp.osdebug(None)  # the ESP8266 tells of its Wi-Fi on the same line as the console
except (ImportError, AttributeError):
    pass


def _config():
    import json

    try:
        with open("config.json") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def _button(strap):
    # Something to call: is the button down? None: this board has none.
    import sys

    if strap is None and sys.platform in ("esp8266", "esp32"):
        name = getattr(sys.implementation, "_machine", "")
        strap = 9 if "ESP32C" in name or "ESP32H" in name else 0
    if type(strap) is int:
        import machine

        pin = machine.Pin(strap, machine.Pin.IN, machine.Pin.PULL_UP)
        return lambda: not pin.value()
    if strap is None and sys.platform == "rp2":
        import rp2

        return rp2.bootsel_button
    return None


def _held(strap):
    import time

    try:
        down = _button(strap)
        if down is None:
            return False
        import machine

        # A node that wakes from deep sleep has nobody at its side.
        if machine.reset_cause() == getattr(machine, "DEEPSLEEP_RESET", -1):
            return False
        # Held during the reset itself, the same button asks for the loader in ROM: so there is a second for it now.
        for _ in range(50):
            if down():
                return True
            time.sleep_ms(20)
    except Exception as error:
        print("boot: strap:", error)
    return False


def _webrepl():
    try:
        import webrepl
        import webrepl_cfg  # noqa: F401 (without a password there is no WebREPL)

        webrepl.start()
    except ImportError:
        pass


_given = _config()
if _given.get("webrepl", True):
    _webrepl()
stay = _held(_given.get("strap"))  # True: main.py does not start the node
if stay:
    print("button held: the node is not started; a reset without it starts the node")
_config = _button = _held = _webrepl = _given = None  # their code shall leave the heap
__import__("gc").collect()
# farmhand: end
