"""The FPGA boards of `farmhand up --boards N`: virtual ones on a folder that stands for a USB bus, and a sentry of kind
`board` that drives them as it would drive real ones.
"""

import os
import sys
from pathlib import Path

from commander.api import Api

NODE = "boards"
FIRMWARE = {"DEFAULT": "default", "PULSE_COUNT": "pulsecount", "VARIANCE": "variance"}
MODELS = ("uf2", "micropython")
PROGRAMS = Path(__file__).parents[1] / "esp_node" / "boards"


def simulator(bus: Path, count: int, model: str = "uf2") -> list[str]:
    command = [sys.executable, "-m", "sentry.boards.virtual", "--bus", str(bus)]
    return [*command, "--count", str(count), "--model", model]


def are_plugged(bus: Path, count: int) -> bool:
    files = [bus / "firmware" / f"{name}.uf2" for name in FIRMWARE.values()]
    return all(file.exists() for file in files) and len(list(bus.glob("*/device.json"))) >= count


def settings(bus: Path, model: str = "uf2") -> dict[str, str]:
    """Of the sentry. A virtual board takes seconds for a bitstream that was never evaluated."""
    result_s = os.environ.get("FARMHAND_BOARD_RESULT_S", "120")
    files = {name: bus / "firmware" / f"{file}.uf2" for name, file in FIRMWARE.items()}
    if model == "micropython":
        files = {name: PROGRAMS / f"{name.lower()}.py" for name in FIRMWARE}
    firmware = {f"FARMHAND_BOARD_{name}": str(file) for name, file in files.items()}
    return {"FARMHAND_BOARD_USB": str(bus), "FARMHAND_BOARD_RESULT_S": result_s, **firmware}


def are_ready(api: Api, count: int) -> bool:
    """Whether they can be reserved."""
    found = api.get("/boards", node=NODE, limit=1000)["items"]
    return sum(each["state"] in ("ready", "leased") for each in found) >= count
