"""A board on a serial port, by way of the program mpremote: what is on it, files to it, its console. CPython only."""

import ast
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import serial
from serial.tools import list_ports

# Sent to the board, so it is short; it prints line by line, because an ESP8266 has no room for the whole answer.
_LOOK = """\
import sys,os,json,hashlib,binascii
i=sys.implementation
m=getattr(i,"_mpy",0) or getattr(i,"mpy",0)
s=os.statvfs("/")
print("board",json.dumps({"name":i.name,"version":list(i.version[:3]),"mpy":m&255,
"machine":getattr(i,"_machine",sys.platform),"free":s[0]*s[3]}))
def f(p):
 h=hashlib.sha256()
 n=0
 with open(p,"rb") as f:
  while 1:
   b=f.read(512)
   if not b:break
   h.update(b)
   n+=len(b)
 print("file",str(binascii.hexlify(h.digest()),"ascii"),n,p)
def d(p):
 try:
  l=list(os.ilistdir(p))
 except OSError:
  return
 print("folder",p)
 for e in l:
  if e[1]&0x4000:d(p+"/"+e[0])
  else:f(p+"/"+e[0])
for e in os.ilistdir("/"):
 if not e[1]&0x4000:f("/"+e[0])
 if e[0]=="lib":
  print("folder /lib")
  if "manifest.json" in os.listdir("/lib"):f("/lib/manifest.json")
for p in %r:d("/lib/"+p)
try:
 import umqtt.simple
 print("umqtt")
except Exception:
 pass
"""
# What the board says after a reset is lost while nobody listens: so it waits for a word, and takes what mpremote sends
# when it goes.
_RESET = "import sys,machine\nwhile sys.stdin.read(1)!='!':pass\nmachine.reset()"
_SLOWEST = 500  # bytes per second that are written at least


class BoardError(Exception):
    """The board, or the way to it, is not as it must be; the text is for a person."""

    def __init__(self, problem: str):
        self.user_message = problem
        super().__init__(problem)


@dataclass(frozen=True)
class Look:
    """What is on a board: files of the root and of the given folders in /lib, as path -> (sha256 in hex, bytes)."""

    name: str
    version: tuple[int, ...]
    mpy: int
    machine: str
    free: int
    has_umqtt: bool
    files: dict[str, tuple[str, int]]
    folders: frozenset[str]


class Board:
    """The board on `port`. Each method stops the program that runs on it; `start` starts that again."""

    def __init__(self, port: str):
        self.port = port
        self._known = False  # once the board was reset into its REPL, nothing needs to be reset again

    def look(self, packages: Iterable[str]) -> Look:
        """See Look; `packages` are the folders of /lib that count."""
        text = self._mpremote("exec", _LOOK % (tuple(packages),), seconds=60)
        facts, files, folders, has_umqtt = {}, {}, set(), False
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word == "board":
                facts = json.loads(rest)
            elif word == "file":
                digest, size, path = rest.split(" ", 2)
                files[path] = (digest, int(size))
            elif word == "folder":
                folders.add(rest)
            elif word == "umqtt":
                has_umqtt = True
        if not facts:
            raise BoardError(f"{self.port}: the board gave no sensible answer; reset it and try again")
        facts["version"] = tuple(facts["version"])
        return Look(**facts, has_umqtt=has_umqtt, files=files, folders=frozenset(folders))

    def change(self, remove: Iterable[str], folders: Iterable[str], copies: dict[str, Path]) -> None:
        """Remove files, make folders, then copy: `copies` is path on the board -> file here with the same name."""
        steps = [["fs", "rm", *(f":{path}" for path in remove)]] if remove else []
        steps += [["fs", "mkdir", f":{path}"] for path in folders]
        groups: dict[str, list[str]] = {}
        for path, file in copies.items():
            groups.setdefault(str(PurePosixPath(path).parent), []).append(str(file))
        steps += [["fs", "cp", *files, f":{folder.rstrip('/')}/"] for folder, files in groups.items()]
        size = sum(file.stat().st_size for file in copies.values())
        if steps:
            chain = [word for step in steps for word in ["+", *step]]
            self._mpremote(*chain[1:], seconds=60 + size / _SLOWEST)

    def read(self, path: str) -> bytes:
        code = f"with open({path!r},'rb') as f:\n print(f.read())"
        text = self._mpremote("exec", code, seconds=30).strip()
        return ast.literal_eval(text)

    def install(self, package: str) -> None:
        """Let mpremote fetch a package of micropython-lib from the network onto the board."""
        self._mpremote("mip", "install", package, seconds=120)

    def start(self, seconds: float) -> Iterator[str]:
        """Reset the board: the lines that it prints then, for at most so many seconds. A port that goes away in between
        (USB boards do, when they reset) is opened again."""
        self._mpremote("exec", "--no-follow", _RESET, seconds=30)
        word = b"!"
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with serial.Serial(self.port, 115200, timeout=0.2) as line:
                    line.write(word)
                    word = b""
                    yield from _lines(line, end)
            except (serial.SerialException, OSError):
                time.sleep(0.2)

    def _mpremote(self, *commands: str, seconds: float) -> str:
        known = ["resume"] if self._known else []
        argv = [sys.executable, "-m", "mpremote", "connect", self.port, *known, *commands]
        try:
            done = subprocess.run(argv, capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise BoardError(f"{self.port}: the board did not answer within {seconds:.0f} s; {_BUTTON}") from None
        said, complaint = (raw.decode(errors="replace").replace("\r", "") for raw in (done.stdout, done.stderr))
        if done.returncode:
            raise BoardError(_explained(self.port, said, complaint))
        self._known = True
        return said


_BUTTON = "reset the board, or hold its button in the first second after a reset, and try again"


def _lines(line: serial.Serial, end: float) -> Iterator[str]:
    rest = b""
    while time.monotonic() < end:
        rest += line.read(max(1, line.in_waiting))
        *whole, rest = rest.split(b"\n")
        yield from (each.decode(errors="replace").strip("\r\x04") for each in whole)


def _explained(port: str, said: str, complaint: str) -> str:
    """One line for a person out of what mpremote printed."""
    known: tuple[tuple[str, Callable[[], str]], ...] = (
        ("failed to access", lambda: f"{port}: cannot be opened; {_ports()}"),
        ("in use by another", lambda: f"{port}: another program has it open: close that first"),
        ("No module named mpremote", lambda: "mpremote is not here; fetch it: pip install mpremote"),
        ("could not enter raw repl", lambda: f"{port}: no MicroPython answers there; flash it first, or {_BUTTON}"),
        ("ENOSPC", lambda: f"{port}: the board's flash is full: remove files of your own and try again"),
        ("No space left", lambda: f"{port}: the board's flash is full: remove files of your own and try again"),
        ("MemoryError", lambda: f"{port}: the board's heap is full; {_BUTTON}"),
    )
    for sign, text in known:
        if sign in complaint or sign in said:
            return text()
    last = (complaint.strip() or said.strip() or "mpremote failed without a word").splitlines()[-1]
    return f"{port}: {last.removeprefix('mpremote: ')}"


def _ports() -> str:
    found = [f"{each.device} ({each.description})" for each in list_ports.comports()]
    return "serial ports here: " + ", ".join(found) if found else "this machine shows no serial port: is it plugged in?"
