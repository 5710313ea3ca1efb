"""The simulator's process (avr/sim/server.py), and a master that speaks schema/i2c.py through it. Time moves with the
requests only, so every figure is the same in every run.
"""

import hashlib
import json
import socket
import subprocess
from pathlib import Path
from typing import Any

from schema import i2c
from schema.errors import Invalid
from sentry.mining.i2c_bus import Bus
from tests.conftest import ROOT

SIMULATOR = ROOT / ".local" / "yasimavr" / "bin" / "python"
SIM = ROOT / "avr" / "sim"
POLL_US = 100_000


class Refused(Exception):
    """The slave's answer was a refusal: (letter, error)."""


class BusError(Exception):
    """What the transaction ended with: nack, stuck, busy, cut."""


def target(last: str, nonce: int) -> bytes:
    return hashlib.sha1(f"{last}{nonce}".encode()).digest()


class VirtualRig:
    def __init__(self, elf: Path, slaves: int, *options: str, speed: float = 0):
        command = [SIMULATOR, SIM / "server.py", elf, f"--slaves={slaves}", f"--speed={speed}", *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        first = self.process.stdout.readline()
        assert first, "the simulator did not start"
        self.port = json.loads(first)["port"]
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.doors: list[Bus] = []
        self.lines = self.socket.makefile("rw")

    def door(self) -> Bus:
        """The bus as a Linux host sees it."""
        self.doors.append(Bus(f"tcp://127.0.0.1:{self.port}", range(8, 120)))
        self.doors[-1].open()
        return self.doors[-1]

    def close(self) -> None:
        for door in self.doors:
            door.close()
        self.lines.close()
        self.socket.close()
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.process.stdout.close()

    def ask(self, op: str, **what: Any) -> dict[str, Any]:
        self.lines.write(json.dumps({"op": op, **what}) + "\n")
        self.lines.flush()
        return json.loads(self.lines.readline())

    def fault(self, kind: str, **what: Any) -> None:
        assert self.ask("fault", kind=kind, **what)["ok"]

    def sleep(self, us: int) -> None:
        self.ask("sleep", us=us)

    def now_us(self) -> int:
        return self.ask("time")["us"]

    def xfer(self, address: int, write: bytes = b"", read: int = 0, **what: Any) -> bytes:
        answer = self.ask("xfer", address=address, write=write.hex(), read=read, **what)
        if not answer["ok"]:
            raise BusError(answer["error"])
        return bytes.fromhex(answer["read"])

    def command(self, address: int, letter: str, payload: bytes = b"") -> bytes:
        """Payload of the answer."""
        got, answer = i2c.parse(self.xfer(address, i2c.frame(letter, payload), i2c.answer_size(letter)))
        if got == i2c.REFUSED:
            raise Refused(*i2c.unpack_refusal(answer))
        if got.upper() != letter:
            raise Invalid("answer", f"of {letter} is one of {got}")
        return answer

    def status(self, address: int) -> tuple[str, str, int, int, int, int]:
        return i2c.unpack_status(self.command(address, i2c.STATUS))

    def result(self, address: int) -> tuple[int, bool, int, int, int]:
        return i2c.unpack_result(self.command(address, i2c.RESULT))

    def send_job(self, address: int, job: int, last: str, wanted: bytes, difficulty: int) -> None:
        self.command(address, i2c.LAST, i2c.pack_hash(job, bytes.fromhex(last)))
        self.command(address, i2c.NEW, i2c.pack_hash(job, wanted))
        self.command(address, i2c.HASH, i2c.pack_start(job, difficulty))

    def wait_result(self, address: int, poll_us: int = POLL_US) -> tuple[int, bool, int, int, int]:
        for _ in range(1000):
            if self.status(address)[4]:
                return self.result(address)
            self.sleep(poll_us)
        raise AssertionError(f"slave {address} has no result: {self.status(address)}")
