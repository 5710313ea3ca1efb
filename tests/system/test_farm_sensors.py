"""Every sensor, from a data-sheet model on the virtual board through node, broker, bridge and commander to the page;
what is pulled out of the running board becomes an alert, and none when it is back."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from esp_node.build import build, build_virtual
from esp_node.sensors import names
from tests.conftest import program
from tests.node.rig import UMQTT
from tests.system.conftest import LinkedFarm
from tests.system.farm import wait_for

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.micropython]

HEAP = "1m"  # twenty drivers and as many models at once
I2C = {"scl": 22, "sda": 21}
# sensor -> (device on the board, options of the driver, one field and its figure, its tolerance)
BOARD: dict[str, tuple[dict[str, Any], dict[str, Any], str, float, float]] = {
    "adc": ({"pin": 34, "volts": 1.65}, {"pin": 34}, "volts", 1.65, 0.02),
    "adxl345": ({**I2C, "ax": 0.5}, I2C, "ax", 0.5, 0.01),
    "button": ({"pin": 0, "pressed": True}, {"pin": 0}, "pressed", 1, 0),
    "dht11": ({"pin": 14, "temp_c": 23}, {"pin": 14}, "temp_c", 23, 0),
    "dht22": ({"pin": 27, "humidity_pct": 55.5}, {"pin": 27}, "humidity_pct", 55.5, 0),
    "ds18b20": ({"pin": 3, "temp_c": -10.125}, {"pin": 3}, "temp_c", -10.12, 0.02),
    "encoder": ({"a": 25, "b": 26}, {"a": 25, "b": 26}, "position", 0, 0),
    "hall": ({"pin": 35, "analog": True, "field": 20}, {"pin": 35, "analog": True, "threshold": 2000}, "magnet", 1, 0),
    "hcsr04": ({"trig": 12, "echo": 13, "distance_cm": 50}, {"trig": 12, "echo": 13}, "distance_mm", 500, 12),
    "mcp9808": ({**I2C, "temp_c": 42.25}, I2C, "temp_c", 42.25, 0.07),
    "mhz19b": ({"pin": 5, "co2_ppm": 900}, {"pin": 5, "warmup_s": 0}, "co2_ppm", 900, 15),
    "mpu6050": ({**I2C, "gz": 90}, I2C, "gz", 90, 0.5),
    "temperature": ({"temp_c": 37}, {}, "temp_c", 37, 1),
    "touch": ({"pin": 15, "touched": True}, {"pin": 15, "threshold": 600}, "touched", 1, 0),
    "tsl2591": ({**I2C, "lux": 300}, I2C, "lux", 300, 30),
}
WITHOUT_DEVICE = {"connectivity": "rtt_ms", "load": "mem_free", "system": "uptime_s"}
# Two wires of a switch say nothing when they are cut, and the board's own parts cannot be pulled out.
TELLS_ABSENCE = [name for name in BOARD if name not in ("adc", "button", "encoder", "hall", "temperature", "touch")]
TELLS_GARBAGE = [name for name in TELLS_ABSENCE if name != "hcsr04"]


class SensorNode:
    """A node with all sensors, enrolled through a token, on a board whose devices can be pulled out."""

    def __init__(self, farm: LinkedFarm, folder: Path):
        self.farm = farm
        self.board = folder / "board.json"
        self.devices = {name: {"device": name, **device} for name, (device, *_) in BOARD.items()}
        self.write()
        main = build(folder / "lib", UMQTT)
        token = farm.token("barn", "esp", "esp-2")["token"]
        sensors = {name: options for name, (_, options, *_) in BOARD.items()} | dict.fromkeys(WITHOUT_DEVICE, True)
        broker = ["127.0.0.1", farm.file.domains["barn"].port]
        config = {
            "root": farm.file.root, "token": token, "brokers": [broker], "interval_s": 1, "heartbeat_s": 1,
            "sensors": sensors, "queue": {"events": 100, "bytes": 20000},
        }  # fmt: skip
        (folder / "config.json").write_text(json.dumps(config))
        environment = {
            **os.environ,
            "MICROPYPATH": f"{build_virtual(folder / 'lib')}:{folder / 'lib'}:.frozen",
            "FARMHAND_BOARD": str(self.board),
        }
        self.log = folder / "log.txt"
        command = [program("micropython") or "", "-X", f"heapsize={HEAP}", str(main), "config.json"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)

    def write(self) -> None:
        new = self.board.with_suffix(".new")
        new.write_text(json.dumps({"devices": list(self.devices.values())}))
        new.rename(self.board)

    def latest(self, part: str) -> dict[str, Any]:
        return self.farm.node("esp-2")["latest"].get("self", {}).get(part, {})

    def alert(self, name: str) -> str:
        found = [each["text"] for each in self.farm.node("esp-2")["alerts"] if each["name"] == f"sensor-{name}"]
        return found[0] if found else ""

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="module")
def node(farm: LinkedFarm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SensorNode]:
    node = SensorNode(farm, tmp_path_factory.mktemp("esp-2"))
    try:
        wait_for("esp-2 ready", lambda: any(each["id"] == "esp-2" for each in farm.api.get("/nodes")["items"]))
        wait_for("esp-2 ready", lambda: farm.node("esp-2")["presence"] == "ready")
        yield node
    finally:
        print(node.log.read_text()[-3000:])
        node.stop()


def test_every_sensor_is_here() -> None:
    assert set(BOARD) | set(WITHOUT_DEVICE) == set(names())


@pytest.mark.parametrize("name", sorted(BOARD))
def test_the_figure_reaches_the_commander(name: str, node: SensorNode) -> None:
    _device, _options, field, figure, tolerance = BOARD[name]
    wait_for(
        f"{name}.{field}",
        lambda: (value := node.latest(name).get(field)) is not None and abs(value - figure) <= tolerance,
    )


@pytest.mark.parametrize("name", sorted(WITHOUT_DEVICE))
def test_what_the_node_tells_of_itself_reaches_the_commander(name: str, node: SensorNode) -> None:
    wait_for(f"{name}.{WITHOUT_DEVICE[name]}", lambda: (node.latest(name).get(WITHOUT_DEVICE[name]) or 0) > 0)


def test_the_figures_stand_on_the_page(farm: LinkedFarm, node: SensorNode, browser: Browser) -> None:
    for name in BOARD:
        wait_for(f"{name} heard", lambda name=name: node.latest(name))
    page = browser.new_page()
    page.goto(f"{farm.api.url}/?key={farm.api.key}")
    page.goto(f"{farm.api.url}/nodes/esp-2")
    for name, (_, _, field, *_) in BOARD.items():
        expect(page.locator("body")).to_contain_text(name, timeout=60_000)
        expect(page.locator("body")).to_contain_text(field.partition("_")[0])
    expect(page.locator("body")).to_contain_text("55.5")  # of the DHT22
    page.close()


@pytest.mark.parametrize(
    ("fault", "names", "error"), [("absent", TELLS_ABSENCE, "OSError"), ("garbage", TELLS_GARBAGE, "ValueError")]
)
def test_faults_become_alerts_until_they_are_mended(fault: str, names: list[str], error: str, node: SensorNode) -> None:
    for name in names:
        node.devices[name]["fault"] = fault
    node.write()
    try:
        for name in names:
            assert error in wait_for(f"the alert of {name}", lambda name=name: node.alert(name))
    finally:
        for name in names:
            del node.devices[name]["fault"]
        node.write()
    for name in names:
        wait_for(f"{name} without alert", lambda name=name: not node.alert(name))
