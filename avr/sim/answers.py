"""What a client may ask: one JSON object a line, one back. See README.md."""

import json
from collections.abc import Callable
from typing import Any

from bus import Bus
from hashing import Watch
from yasimavr.utils.uart import UART_IO

Request, Answer = dict[str, Any], dict[str, Any]


class Answers:
    def __init__(self, bus: Bus):
        self.bus = bus
        self.moved_s = 0.0  # simulated time that requests took since the server looked
        self._serial: dict[int, UART_IO] = {}
        self._known: dict[str, Callable[[Request], Answer]] = {
            "xfer": self._xfer,
            "scan": self._scan,
            "time": self._time,
            "sleep": self._sleep,
            "clocks": self._clocks,
            "fault": self._fault,
            "counters": self._counters,
            "slaves": self._slaves,
            "serial": self._serial_port,
            "peek": self._peek,
            "hashing": self._hashing,
        }

    def answer(self, line: bytes) -> Answer:
        before = self.bus.cycles
        try:
            request = json.loads(line)
            if request.get("op") not in self._known:
                raise ValueError(f"op: {request.get('op')!r} is not known; use one of: {' '.join(self._known)}")
            answer = {"ok": True, **self._known[request["op"]](request)}
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            answer = {"ok": False, "error": "request", "text": f"{type(error).__name__}: {error}"}
        self.moved_s += (self.bus.cycles - before) / self.bus.hertz
        return answer

    def _us(self, cycles: int) -> int:
        return cycles * 1_000_000 // self.bus.hertz

    def _xfer(self, request: Request) -> Answer:
        if request["address"] not in range(128):
            raise ValueError(f"address: {request['address']!r} is not allowed; use 0..127")
        begin = self.bus.cycles
        write = bytes.fromhex(request.get("write", ""))
        t = self.bus.transfer(request["address"], write, request.get("read", 0), request.get("cut_us"))
        answer: Answer = {"read": bytes(t.read).hex(), "us": self._us(self.bus.cycles - begin)}
        return answer if not t.error else {**answer, "ok": False, "error": t.error}

    def _scan(self, request: Request) -> Answer:
        there = range(request.get("first", 8), request.get("last", 119) + 1)
        return {"addresses": [address for address in there if not self.bus.transfer(address, b"", 0).error]}

    def _time(self, _request: Request) -> Answer:
        return {"cycles": self.bus.cycles, "us": self._us(self.bus.cycles)}

    def _sleep(self, request: Request) -> Answer:
        self.bus.run(request["us"] * self.bus.hertz // 1_000_000)
        return self._time(request)

    def _clocks(self, request: Request) -> Answer:
        return {"free": self.bus.clocks(request.get("count", 9))}

    def _fault(self, request: Request) -> Answer:
        faults = self.bus.master.faults
        match request["kind"]:
            case "hold_sda":
                self.bus.hold_sda(request.get("on", True))
            case "drop_ack":
                faults.drop_acks = request.get("count", 1)
            case "flip_write":
                faults.flip_write = (request["byte"], request["bit"])
            case "flip_read":
                faults.flip_read = (request["byte"], request["bit"])
            case "reset":
                self.bus.slaves[request["slave"]].reset(request.get("cause", "power_on"))
            case "hang":
                self.bus.slaves[request["slave"]].hang()
            case "unplug":
                self.bus.slaves[request["slave"]].unplug()
            case "plug":
                self.bus.slaves[request["slave"]].reset()
                self.bus.slaves[request["slave"]].plug(self.bus.master.scl, self.bus.master.sda)
            case kind:
                raise ValueError(f"kind: {kind!r} is not known")
        return {}

    def _counters(self, _request: Request) -> Answer:
        bus = self.bus
        return {
            "transactions": bus.transactions,
            "failures": bus.failures,
            "bus_us": self._us(bus.busy_cycles),
            "us": self._us(bus.cycles),
        }

    def _slaves(self, _request: Request) -> Answer:
        return {
            "slaves": [
                {"plugged": slave.plugged, "state": slave.device.state().name.lower()} for slave in self.bus.slaves
            ]
        }

    def _serial_port(self, request: Request) -> Answer:
        """Sends text to a slave's serial port; returns what it sent since the last time."""
        index = request["slave"]
        if index not in self._serial:
            self._serial[index] = UART_IO(self.bus.slaves[index].device, 0)
        port = self._serial[index]
        if text := request.get("send", ""):
            port.write(text.encode())
        return {"received": (port.read(port.available()) or b"").decode("latin-1")}

    def _peek(self, request: Request) -> Answer:
        """Memory from `at`, an address or a symbol of the firmware."""
        return {"data": self.bus.slaves[request["slave"]].memory(request["at"], request["size"]).hex()}

    def _hashing(self, _request: Request) -> Answer:
        """What each slave did since the last time this was asked; watched from the first time on."""
        bus = self.bus
        us = self._us
        told = [
            {"begun": w.begun, "busy_us": us(w.busy), "gaps_us": [[us(took), us(gap)] for took, gap in w.gaps]}
            for w in bus.watches
        ]
        bus.watches = bus.watches or [Watch(slave) for slave in bus.slaves]
        for each in bus.watches:
            each.reset()
        return {"us": us(bus.cycles), "slaves": told}
