"""Simulated ASICs on loopback: they answer over the same TCP and HTTP as real ones, well or badly.

Everything that one says is computed when it is asked, so its shares and its uptime grow as those of a real one do.
"""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

KINDS = ("cgminer", "iceriver", "bitaxe")
# well; answers late; stops in the middle of an answer; takes the connection and says nothing; does not listen
MOODS = ("well", "slow", "half", "dead", "gone")
TERA = {"cgminer": 140.0, "iceriver": 6.2, "bitaxe": 1.2}
FIRST_LINE_S = 30.0
TITLES = {"iceriver": "<TITLE>用户界面</TITLE>", "bitaxe": "<title>AxeOS</title>"}


@dataclass
class SimulatedAsic:
    """``delay_s``: how late it answers in the mood `slow`; ``boards``: how many of three hash."""

    kind: str
    host: str
    port: int
    mood: str = "well"
    delay_s: float = 1.0
    boards: int = 3
    pool: str = "stratum+tcp://pool.example:3333"
    rejected: int = 0
    allowed: bool = True
    asleep: bool = False
    asked: int = 0
    commands: list[str] = field(default_factory=list[str])
    began: float = field(default_factory=lambda: time.monotonic() - 3600)
    server: asyncio.Server | None = None

    @property
    def uptime(self) -> int:
        return int(time.monotonic() - self.began)

    @property
    def tera(self) -> float:
        """TH/s of all boards."""
        return 0.0 if self.asleep else TERA[self.kind] * self.boards / 3

    async def start(self) -> None:
        if self.server is None:
            serve = self._tcp if self.kind == "cgminer" else self._http
            self.server = await asyncio.start_server(serve, self.host, self.port)
            self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None

    async def turn(self, what: str, value: str = "") -> None:
        """A mood, or `boards N`, `pool URL`, `rejected N`, `restart`, `deny`. ValueError."""
        if what in MOODS:
            self.mood = what
            await (self.stop() if what == "gone" else self.start())
        elif what in ("boards", "rejected"):
            setattr(self, what, int(value))
        elif what == "pool":
            self.pool = value
        elif what == "deny":
            self.allowed = False
        elif what == "restart":
            self.began = time.monotonic()
        else:
            raise ValueError(f"{what!r} must be one of {', '.join(MOODS)}, boards, rejected, pool, restart, deny")

    # How it answers

    async def _tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def serve() -> None:
            try:
                asked: dict[str, Any] = json.loads(await reader.read(65_536))
            except ValueError:
                asked = {}
            await self._answer(writer, self.cgminer(asked).encode() + b"\0")

        await self._served(serve(), writer)

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def serve() -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path = head.split(" ", 2)[:2]
            length = next((line[15:] for line in head.lower().split("\r\n") if line.startswith("content-length:")), "0")
            body = (await reader.readexactly(int(length))).decode()
            status, told = self.web(method, path, body)
            content = told.encode()
            begin = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            await self._answer(writer, begin.encode() + content)

        await self._served(serve(), writer)

    async def _served(self, work: Any, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        with suppress(OSError, asyncio.IncompleteReadError, ValueError, TimeoutError):
            async with asyncio.timeout(FIRST_LINE_S):
                await work
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, told: bytes) -> None:
        if self.mood == "dead":
            await asyncio.sleep(FIRST_LINE_S)
        if self.mood == "slow":
            await asyncio.sleep(self.delay_s)
        writer.write(told[: len(told) // 2] if self.mood == "half" else told)
        await writer.drain()

    # What it answers

    def cgminer(self, asked: dict[str, Any]) -> str:
        """JSON of the answer, with the faults that old Antminers have in theirs."""
        name = str(asked.get("command", ""))
        if "+" in name:
            inner = ",".join(f'"{each}":[{self.cgminer({"command": each})}]' for each in name.split("+"))
            return f'{{{inner},"id":1}}'
        change = name in ("restart", "ascdisable", "ascenable", "pause", "resume")
        if change and not self.allowed:
            return self._status("E", 45, f"Access denied to '{name}' command")
        if change:
            self.commands.append(name + str(asked.get("parameter", "")))
            self.asleep = name in ("ascdisable", "pause") or (self.asleep and name == "restart")
            if name == "restart":
                self.began = time.monotonic()
            return self._status("S", 42, name.upper())
        sections = {
            "summary": self._summary, "devs": self._devs, "pools": self._pools, "stats": self._stats,
            "version": self._version, "notify": lambda: '"NOTIFY":[]',
        }  # fmt: skip
        if name not in sections:
            return self._status("E", 14, "Invalid command")
        return self._status("S", 11, name)[:-8] + f',{sections[name]()},"id":1}}'

    def _status(self, status: str, code: int, text: str) -> str:
        told = {"STATUS": status, "When": int(time.time()), "Code": code, "Msg": text, "Description": "cgminer 4.11.1"}
        return f'{{"STATUS":[{json.dumps(told)}],"id":1}}'

    def _summary(self) -> str:
        gh = self.tera * 1000
        return (
            f'"SUMMARY":[{{"Elapsed":{self.uptime},"GHS 5s":"{gh:.2f}","GHS av":{gh:.2f},"Accepted":{self.uptime * 4},'
            f'"Rejected":{self.rejected},"Hardware Errors":1,"Stale":0,}}]'
        )

    def _devs(self) -> str:
        board = self.tera * 1e6 / max(1, self.boards)
        rows = [
            {"ASC": n, "Name": "SIM", "ID": n, "Status": "Alive", "Temperature": 60.0, "MHS 5s": board, "Accepted": 1}
            for n in range(self.boards)
        ]
        return f'"DEVS":{json.dumps(rows)}'

    def _pools(self) -> str:
        row = {
            "POOL": 0,
            "URL": self.pool,
            "Status": "Alive",
            "Priority": 0,
            "User": "farm.sim",
            "Stratum Active": True,
        }
        return f'"POOLS":[{json.dumps(row)}]'

    def _stats(self) -> str:
        about = json.dumps({"Miner": "sim.1", "CompileTime": "2026", "Type": "Antminer S19 (simulated)"})
        chains: dict[str, Any] = {
            "STATS": 0,
            "ID": "SIM",
            "Elapsed": self.uptime,
            "fan_num": 2,
            "fan1": 4200,
            "fan2": 4150,
        }
        for n in range(1, 4):
            rate = self.tera * 1000 / max(1, self.boards) if n <= self.boards else 0.0
            chains |= {f"chain_acn{n}": 110, f"chain_rate{n}": f"{rate:.2f}", f"temp_chip{n}": "52-75"}
        return f'"STATS":[{about}{json.dumps(chains)}]'  # without the comma, as old firmwares have it

    def _version(self) -> str:
        return '"VERSION":[{"CGMiner":"4.11.1","API":"3.7","Type":"Antminer S19 (simulated)","Miner":"sim.1"}]'

    def web(self, method: str, path: str, body: str) -> tuple[str, str]:
        """(status line, JSON); the first page has the title by which programs know such an ASIC."""
        if path == "/" and self.kind in TITLES:
            return "200 OK", TITLES[self.kind]
        if self.kind == "iceriver" and path.startswith("/user/userpanel") and "post=4" in body + path:
            return "200 OK", json.dumps(self._iceriver())
        if self.kind == "bitaxe" and path == "/api/system/info":
            return "200 OK", json.dumps(self._bitaxe())
        if self.kind == "bitaxe" and (method, path) == ("POST", "/api/system/restart"):
            self.commands.append("restart")
            self.began = time.monotonic()
            return "200 OK", '{"message":"System will restart shortly."}'
        return "404 Not Found", "{}"

    def _iceriver(self) -> dict[str, Any]:
        boards = [
            {"no": n, "chipnum": 18, "error": 0, "freq": 875, "intmp": 26, "outtmp": 49, "state": n <= self.boards,
             "rtpow": f"{self.tera * 1000 / max(1, self.boards) if n <= self.boards else 0:.2f}G"}
            for n in (1, 2, 3)
        ]  # fmt: skip
        days, rest = divmod(self.uptime, 86_400)
        pool = {"no": 1, "addr": self.pool, "user": "farm.sim", "connect": True, "diff": "70368.74 G", "state": 1}
        data = {
            "model": "none", "algo": "none", "softver1": "5977449_ks3m_miner", "firmver1": "sim", "unit": "G",
            "rtpow": f"{self.tera * 1000:.0f}G", "avgpow": f"{self.tera * 1000:.0f}G", "reject": 0.0, "boards": boards,
            "runtime": f"{days:02}:{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}", "fans": [1028, 1072],
            "powstate": True, "netstate": True, "fanstate": True, "tempstate": True,
            "pools": [{**pool, "accepted": self.uptime, "rejected": self.rejected}],
        }  # fmt: skip
        return {"error": 0, "data": data, "message": ""}

    def _bitaxe(self) -> dict[str, Any]:
        host, _, port = self.pool.rpartition("/")[2].partition(":")
        return {
            "power": 17.5, "temp": 58.0, "vrTemp": 45, "hashRate": self.tera * 1000, "frequency": 525, "fanspeed": 35,
            "fanrpm": 5515, "sharesAccepted": self.uptime, "sharesRejected": self.rejected, "stratumURL": host,
            "stratumPort": int(port or 0), "stratumUser": "farm.sim", "uptimeSeconds": self.uptime,
            "ASICModel": "BM1370", "boardVersion": "601", "version": "v2.12.2", "expectedHashrate": 1200,
            "poolDifficulty": 1000, "wifiRSSI": -44, "sharesRejectedReasons": [], "overheat_mode": 0,
        }  # fmt: skip
