"""A small board of the tests, the place of faults: a real pseudo-terminal, a real folder as its bootloader's disk, and
the protocol of the real firmware. What is on it says the UF2 file: its first block holds the firmware's name.
"""

import json
import os
import select
import shutil
import struct
import termios
import threading
import time
import tty
from pathlib import Path
from typing import Any

from schema.boards import BITSTREAM_BYTES
from sentry.boards.bitstream import PREAMBLE
from tests.support.waiting import PATIENCE

TICK_S = 0.02
WATCHDOG_S = 0.3
EVALUATING = ("pulse_count", "variance")


def uf2(name: str, blocks: int = 3) -> bytes:
    def block(number: int) -> bytes:
        head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0, number * 256, 256, number, blocks, 0)
        return head + name.encode().ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)

    return b"".join(map(block, range(blocks)))


def bitstream(pulses: int) -> bytes:
    """One for which the small board counts so many pulses."""
    return (bytes(4) + PREAMBLE + struct.pack("<I", pulses)).ljust(BITSTREAM_BYTES, b"\x55")


class SmallBoard:
    """``faults``, which may change at any time: `no-disk`, `no-restart`, `silent` (says nothing), `loses` (bytes of
    each bitstream), `loses-once`, `cut-short` (its next answer), `disk-too` (one of the firmware's own, beside its
    tty), `restarts` (once, too fast for whoever looks at the bus). ``hangs``: at these counts it never answers.
    ``answer``: to a bitstream, with `{}` for the count.
    ``begins_s``: so long after its start it waits for bitstreams.
    ``flashed``: what came onto it, in order; ``received``: counts of the bitstreams."""

    def __init__(self, bus: Path, serial: str, *faults: str, port: str = "") -> None:
        self.folder, self.serial, self.port = bus / serial, serial, port
        self.faults, self.hangs = set(faults), set[int]()
        self.flashed: list[str] = []
        self.received: list[int] = []
        self.firmware = "factory"
        self.begins_s, self.answer = 0.0, "pulses: {}"
        self._disk = bus.parent / f"disk-{serial}"
        self.own_disk = bus.parent / f"own-disk-{serial}"
        self._master = self._slave = -1
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def plug(self) -> None:
        assert self._thread is None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        if self._thread:
            self._stop.set()
            self._thread.join(PATIENCE)
            self._thread = None

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._run_firmware()
                if "restarts" in self.faults:
                    self.faults.discard("restarts")
                elif not self._stop.is_set():
                    self._run_bootloader()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            shutil.rmtree(self._disk, ignore_errors=True)

    def _show(self, tty: str | None, disk: str | None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        told = {"vendor": "1209", "product": "b1c0", "serial": self.serial.upper(), "tty": tty, "disk": disk}
        beside = self.folder / "new"
        beside.write_text(json.dumps({**told, "port": self.port}))
        beside.rename(self.folder / "device.json")

    # The firmware: until 1200 baud

    def _run_firmware(self) -> None:
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        tty.setraw(self._slave)
        self._got, self._heard_at, self._said_at = b"", time.monotonic(), 0.0
        try:
            if "disk-too" in self.faults:
                self.own_disk.mkdir(exist_ok=True)
            self._show(os.ttyname(self._slave), str(self.own_disk) if self.own_disk.exists() else None)
            if self.firmware in EVALUATING:
                self._stop.wait(self.begins_s)
                self._say("Waiting for bitstream transfer")
            while not self._stop.is_set():
                if termios.tcgetattr(self._master)[5] == termios.B1200 and "no-disk" not in self.faults:
                    return
                if "restarts" in self.faults:
                    return
                readable, _, _ = select.select([self._master], [], [], TICK_S)
                self._on_time(os.read(self._master, 65_536) if readable else b"")
        finally:
            os.close(self._slave)
            os.close(self._master)

    def _say(self, line: str) -> None:
        if "silent" not in self.faults:
            os.write(self._master, line.encode() + b"\r\n")

    def _on_time(self, heard: bytes) -> None:
        now = time.monotonic()
        if heard:
            self._heard_at = now
        if self.firmware == "default" and now - self._said_at > 0.1:
            self._said_at = now
            self._say("this is the default firmware")
        elif self.firmware in EVALUATING:
            self._got += heard
            if self._got and len(self._got) >= BITSTREAM_BYTES:
                self._on_bitstream(self._got[:BITSTREAM_BYTES])
            elif self._got and now - self._heard_at > WATCHDOG_S:
                self._say(f"Watchdog timeout, {len(self._got)} bytes received of {BITSTREAM_BYTES}")
                self._begin_again()
        elif heard:
            self._say(heard.decode().upper())

    def _on_bitstream(self, content: bytes) -> None:
        (count,) = struct.unpack_from("<I", content, 8)
        if self.faults & {"loses", "loses-once"}:
            self.faults.discard("loses-once")
            self._got = content[:-100]
            return
        self.received.append(count)
        if count in self.hangs:
            self.faults.add("silent-till-flashed")
        if "cut-short" in self.faults:
            self.faults.discard("cut-short")
            os.write(self._master, f"pulses: {count}".encode()[:-1])
            self._begin_again()
        elif "silent-till-flashed" not in self.faults:
            self._say(self.answer.format(count))
            self._begin_again()
        else:
            self._got = b""

    def _begin_again(self) -> None:
        self._got = b""
        self._say("Waiting for bitstream transfer")

    # The bootloader: until a UF2 file is there

    def _run_bootloader(self) -> None:
        self._disk.mkdir(parents=True)
        self._show(None, str(self._disk))
        while not self._stop.wait(TICK_S):
            found = [path.read_bytes() for path in self._disk.glob("*.uf2")]
            if found and len(found[0]) >= 512 and len(found[0]) == 512 * struct.unpack_from("<I", found[0], 24)[0]:
                self.firmware = found[0][32:508].rstrip(b"\0").decode()
                self.flashed.append(self.firmware)
                self.faults -= {"silent-till-flashed"}
                break
        shutil.rmtree(self._disk)
        if "no-restart" in self.faults:
            self._show(None, None)
            while "no-restart" in self.faults and not self._stop.wait(TICK_S):
                pass


def firmware_files(folder: Path, *names: str) -> dict[str, str]:
    """The environment that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, str] = {}
    for name in names:
        path = folder / f"{name}.uf2"
        path.write_bytes(uf2(name))
        found[f"FARMHAND_BOARD_{name.upper()}"] = str(path)
    return found


SHORT: dict[str, Any] = {
    **{"look_s": 0.05, "bootloader_s": 3, "restart_s": 3, "test_s": 3, "prepare_s": 3, "result_s": 3, "heal_s": 0.1},
    **{"quarantine_s": 0.5, "report_s": 0.1, "ask_again_s": 1, "fetch_s": 20},
}
"""Settings for tests: times short."""
