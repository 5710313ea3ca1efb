"""The virtual rig: n AVRs with the real firmware on one bus, behind a TCP socket. A process of its own, because the
simulator is GPL and the rest of farmhand is not; needs nothing of farmhand's.

    .local/yasimavr/bin/python avr/sim/server.py avr/build/slave-16.elf --slaves 3 --speed 1

It prints one line, {"port": 40123}, and ends when its standard input closes. Its language: README.md.
"""

import argparse
import json
import selectors
import socket
import sys
import time

from answers import Answers
from bus import Bus
from slave import Slave

CHUNK_S = 0.0005  # of simulated time between looks at the sockets
DEBT_S = 0.1  # a machine that is too slow for the rig does not owe it more


class Server:
    """One thread: takes requests, and lets simulated time follow the clock on the wall between them."""

    def __init__(self, bus: Bus, requests: Answers, speed: float, port: int, detached: bool):
        self.bus, self.requests, self.speed = bus, requests, speed
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        if not detached:
            self.selector.register(sys.stdin, selectors.EVENT_READ, self.end)
        self.open = True
        self.due = 0.0
        self.seen = time.monotonic()

    def accept(self) -> None:
        connection, _ = self.listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = connection.makefile("rwb")

        def answer() -> None:
            try:
                line = lines.readline()
                if line:
                    lines.write(json.dumps(self.requests.answer(line)).encode() + b"\n")
                    lines.flush()
                    return
            except OSError:
                pass
            self.selector.unregister(connection)
            connection.close()

        self.selector.register(connection, selectors.EVENT_READ, answer)

    def end(self) -> None:
        if not sys.stdin.buffer.raw.read(1):
            self.open = False

    def serve(self) -> None:
        while self.open:
            for key, _ in self.selector.select(self.wait()):
                key.data()
            self.follow()

    def wait(self) -> float | None:
        """Seconds until simulated time has to go on; None: only requests move it."""
        if not self.speed:
            return None
        return 0 if self.due > 0 else CHUNK_S / self.speed

    def follow(self) -> None:
        """Simulates a chunk when it is due."""
        now = time.monotonic()
        moved = (now - self.seen) * self.speed
        self.seen = now
        self.due = min(self.due + moved, DEBT_S * max(self.speed, 1))
        spent, self.requests.moved_s = self.requests.moved_s, 0.0
        self.due -= spent
        if self.speed and self.due > 0:
            self.bus.run(int(CHUNK_S * self.bus.hertz))
            self.due -= CHUNK_S


def main() -> None:
    parser = argparse.ArgumentParser(description="n AVRs on one simulated I2C bus")
    parser.add_argument("elf")
    parser.add_argument("--slaves", type=int, default=3)
    parser.add_argument("--first-address", type=int, default=11, help="the others follow; 0: all as delivered")
    parser.add_argument("--mhz", type=int, default=16, help="as the firmware was built")
    parser.add_argument("--speed", type=float, default=1, help="times real time; 0: time moves with requests only")
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; 0: any free one")
    parser.add_argument("--detached", action="store_true", help="do not end when the standard input closes")
    door = parser.add_mutually_exclusive_group()
    for name, how in (("uart", "EEPROM"), ("strap", "D2 tied to ground")):
        text = f"the slaves listen at their serial port, by {how}"
        door.add_argument(f"--{name}", action="store_const", const=name, default="", dest="door", help=text)
    args = parser.parse_args()
    hertz = args.mhz * 1_000_000
    slaves = [
        Slave(
            args.elf,
            hertz,
            args.first_address + i if args.first_address else None,
            bytes([0xFA, 0x12, 0, 0, 0, 0, 0, i + 1]),
            args.door,
        )
        for i in range(args.slaves)
    ]
    bus = Bus(slaves, hertz)
    bus.run(hertz // 50)  # they start up
    server = Server(bus, Answers(bus), args.speed, args.port, args.detached)
    print(json.dumps({"port": server.listener.getsockname()[1]}), flush=True)
    server.serve()


if __name__ == "__main__":
    main()
