#!/usr/bin/env python3
"""A simulated CPU miner: a program that a catalog can name, with XMRig's arguments, log and HTTP API.

It hashes nothing and opens no connection to a pool. It stands alone (standard library only, no file beside it), so it
can be copied, packed and run like any miner: `python3 -I -S simulated_miner.py --http-port 44000 -t 2`.
What XMRig knows and this does not is ignored, and said so in the log. As with XMRig, pause and resume want
`--http-no-restricted`.
"""

import argparse
import json
import math
import os
import platform
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

VERSION = "1.0-simulated"
PER_THREAD = 520.0  # H/s, a desktop processor's at RandomX
DIFFICULTY = 10_000
WARM_UP_S = 1.0
MEANS_S = (10, 60, 900)
MOST_REQUEST = 65_536


def arguments(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """What was asked for, and what of it nobody here knows."""
    text = "simulated miner: hashes nothing, opens no connection to a pool"
    parser = argparse.ArgumentParser("simulated-miner", description=text, allow_abbrev=False)
    add = parser.add_argument
    add("--version", "-V", action="version", version=f"simulated {VERSION} ({text})")
    add("--http-host", default="127.0.0.1")
    add("--http-port", type=int, default=0, help="answer there; without it there is no API")
    add("--http-access-token", default="")
    add("--http-no-restricted", action="store_true", help="allow pause and resume")
    add("-o", "--url", default="", help="named in the answers, never connected to")
    add("-u", "--user", default="")
    add("-p", "--pass", default="", dest="password")
    add("-a", "--algo", default="rx/0")
    add("-t", "--threads", type=int, default=os.cpu_count() or 1)
    add("--rig-id", default=platform.node())
    add("--print-time", type=float, default=60.0, metavar="S", help="between two lines of the hash rate")
    add("--hashrate", type=float, default=None, metavar="H", help="H/s of all threads")
    add("--warm-up", type=float, default=WARM_UP_S, metavar="S", help="hash rate is null until then")
    add("--silent", action="store_true", help="never hash")
    add("--crash-after", type=float, default=math.inf, metavar="S", help="end with code 1")
    add("--hang-after", type=float, default=math.inf, metavar="S", help="stay alive and answer nothing any more")
    add("--ignore-term", action="store_true", help="do not end at SIGTERM")
    return parser.parse_known_args(words)


class Hashing:
    """The believed work. Times are of the monotonic clock, in seconds."""

    def __init__(self, wanted: argparse.Namespace, now: float) -> None:
        self.threads = max(1, wanted.threads)
        self._rate = 0.0 if wanted.silent else PER_THREAD * self.threads if wanted.hashrate is None else wanted.hashrate
        self._warm_up: float = wanted.warm_up
        self.begun = self._since = self._seen = now
        self.hashes = self.highest = 0.0
        self.paused = False

    def pause(self, paused: bool, now: float) -> None:
        self.go_on(now)
        if paused != self.paused:
            self.paused, self._since = paused, now

    def go_on(self, now: float) -> None:
        """Counts the hashes up to now."""
        rate = self.rate(now) or 0.0
        self.hashes += rate * (now - self._seen)
        self.highest = max(self.highest, rate)
        self._seen = now

    def rate(self, now: float, thread: int | None = None) -> float | None:
        """H/s of one thread or of all; None while there is none to tell."""
        if self.paused or now - self._since < self._warm_up:
            return None
        of_thread = [1 + 0.02 * math.sin(now / 7 + 1.7 * number) for number in range(self.threads)]
        share = sum(of_thread) if thread is None else of_thread[thread]
        return round(self._rate * share / self.threads, 2)

    def rates(self, now: float, thread: int | None = None) -> list[float | None]:
        """As XMRig tells them: means of 10 s, 60 s and 15 min; a longer one comes later."""
        lasted = now - self._since
        return [self.rate(now, thread) if span == MEANS_S[0] or lasted >= span else None for span in MEANS_S]

    @property
    def shares(self) -> int:
        return int(self.hashes / DIFFICULTY)


def summary(wanted: argparse.Namespace, work: Hashing, now: float) -> dict[str, Any]:
    """`/2/summary`: XMRig's fields that somebody reads."""
    uptime, shares = int(now - work.begun), work.shares
    counted = {"avg_time": uptime // shares if shares else 0, "hashes_total": shares * DIFFICULTY}
    return {
        "id": "simulated", "worker_id": wanted.rig_id, "uptime": uptime, "restricted": not wanted.http_no_restricted,
        "resources": {"hardware_concurrency": os.cpu_count() or 1, "load_average": load_average()},
        "features": ["api", "http"],
        "results": {"diff_current": DIFFICULTY, "shares_good": shares, "shares_total": shares, **counted},
        "algo": wanted.algo,
        "connection": {
            "pool": wanted.url, "uptime": uptime, "failures": 0, "algo": wanted.algo, "diff": DIFFICULTY,
            "accepted": shares, "rejected": 0, **counted,
        },
        "version": VERSION, "kind": "miner", "ua": f"simulated/{VERSION} (opens no connection to a pool)",
        "cpu": {"brand": "simulated", "cores": work.threads, "threads": work.threads, "packages": 1},
        "donate_level": 0, "paused": work.paused, "algorithms": [wanted.algo],
        "hashrate": {"total": work.rates(now), "highest": round(work.highest, 2) or None}, "hugepages": [0, 0],
    }  # fmt: skip


def load_average() -> list[float]:
    return list(os.getloadavg()) if hasattr(os, "getloadavg") else [0.0] * 3  # Windows has none


def backends(wanted: argparse.Namespace, work: Hashing, now: float) -> list[dict[str, Any]]:
    """`/2/backends`: the processor's threads."""
    threads = [
        {"intensity": 1, "affinity": -1, "av": 1, "hashrate": work.rates(now, n)} for n in range(work.threads)
    ]  # fmt: skip
    return [{"type": "cpu", "enabled": True, "algo": wanted.algo, "hashrate": work.rates(now), "threads": threads}]


class Program:
    """Answers, logs and waits, one thing after the other: a miner's API has one reader."""

    def __init__(self, wanted: argparse.Namespace) -> None:
        self.wanted = wanted
        self.work = Hashing(wanted, time.monotonic())
        self._logged_shares, self._next_line = 0, self.work.begun + min(10.0, wanted.print_time)

    def run(self) -> int:
        begun, wanted = self.work.begun, self.wanted
        ends = begun + min(wanted.crash_after, wanted.hang_after)
        with socket.socket() as listener:
            listening = self._listen(listener)
            while (now := time.monotonic()) < ends:
                self.work.go_on(now)
                self._tell(now)
                # Not longer than a second: shares are logged as they come.
                pause = max(0.001, min(1.0, ends - now, self._next_line - now))
                if not listening:
                    time.sleep(pause)
                    continue
                listener.settimeout(pause)
                with suppress(OSError):
                    self._serve(listener.accept()[0])
            if wanted.crash_after <= wanted.hang_after:
                log("cpu", "thread #0 crashed (asked for by --crash-after)")
                return 1
            log("cpu", "hangs (asked for by --hang-after)")
            while True:
                time.sleep(3600)

    def _listen(self, listener: socket.socket) -> bool:
        if not self.wanted.http_port:
            return False
        place = (self.wanted.http_host, self.wanted.http_port)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(place)
            listener.listen(64)
        except OSError as error:
            log("api", f"cannot listen on {place[0]}:{place[1]}: {error}")
            return False
        log("api", f"listens on {place[0]}:{place[1]}")
        return True

    def _tell(self, now: float) -> None:
        for number in range(self._logged_shares + 1, self.work.shares + 1):
            log("cpu", f"accepted ({number}/0) diff {DIFFICULTY} (0 ms)")
        self._logged_shares = self.work.shares
        if now >= self._next_line:
            self._next_line = now + max(0.1, self.wanted.print_time)
            means = " ".join("n/a" if each is None else f"{each:.1f}" for each in self.work.rates(now))
            log("miner", f"speed 10s/60s/15m {means} H/s max {self.work.highest:.1f} H/s")

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(2.0)
            got = b""
            while not (whole := _whole(got)) and (chunk := connection.recv(4096)) and len(got) < MOST_REQUEST:
                got += chunk
            if whole:
                status, answer = self._answer(*whole)
                body = json.dumps(answer).encode()
                head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[str, Any]:
        wanted, now = self.wanted, time.monotonic()
        if wanted.http_access_token and headers.get("authorization") != f"Bearer {wanted.http_access_token}":
            return _refused(401, "Unauthorized")
        if method == "GET" and path in ("/2/summary", "/1/summary"):
            return "200 OK", summary(wanted, self.work, now)
        if method == "GET" and path == "/2/backends":
            return "200 OK", backends(wanted, self.work, now)
        if method != "POST" or path != "/json_rpc":
            return _refused(404, "Not Found")
        if not wanted.http_no_restricted:
            return _refused(403, "Forbidden")
        if not headers.get("content-type", "").startswith("application/json"):
            return _refused(415, "Unsupported Media Type")
        return self._obey(body, now)

    def _obey(self, body: bytes, now: float) -> tuple[str, Any]:
        try:
            told = json.loads(body)
            number, method = told.get("id"), told["method"]
        except (ValueError, LookupError, AttributeError, TypeError):
            return _refused(400, "Bad Request")
        if method not in ("pause", "resume"):
            problem = {"code": -32601, "message": "Method not found"}
            return "200 OK", {"id": number, "jsonrpc": "2.0", "error": problem}
        self.work.pause(method == "pause", now)
        log("miner", "paused" if self.work.paused else "resumed")
        return "200 OK", {"id": number, "jsonrpc": "2.0", "result": {"status": "OK"}}


def _refused(status: int, text: str) -> tuple[str, Any]:
    return f"{status} {text}", {"status": status, "error": text}


def _whole(got: bytes) -> tuple[str, str, dict[str, str], bytes] | None:
    """Method, path, headers and body of a request, once it is all there."""
    head, end, body = got.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if not end or len(words) < 2:
        return None
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = headers.get("content-length", "")
    if length.isdigit() and len(body) < int(length):
        return None
    return words[0], words[1].partition("?")[0], headers, body


def log(part: str, text: str) -> None:
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    print(f"[{stamp}.{int(now % 1 * 1000):03}]  {part:8} {text}", flush=True)


def main() -> int:
    wanted, unknown = arguments(sys.argv[1:])

    def end(number: int, frame: object) -> None:
        log("miner", f"signal {number} received, exiting")
        sys.exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if wanted.ignore_term else end)
    signal.signal(signal.SIGINT, end)
    print(f" * ABOUT        simulated/{VERSION}, opens no connection to a pool", flush=True)
    if unknown:
        log("config", f"ignored: {' '.join(unknown)}")
    log("net", f"pool {wanted.url or '(none)'} user {wanted.user or '(none)'} algo {wanted.algo} (never connected to)")
    log("cpu", f"use {max(1, wanted.threads)} threads, not one of which hashes")
    return Program(wanted).run()


if __name__ == "__main__":
    sys.exit(main())
