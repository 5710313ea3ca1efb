"""Power to a board: a USB hub that can switch its ports, through the program `uhubctl`."""

import asyncio
import re
import shutil

from sentry.boards.faults import BoardFailed

CYCLE_S = 30.0


class Hub:
    """``location``: as uhubctl names the hub, "" for none."""

    def __init__(self, location: str, program: str) -> None:
        self._location = location
        self._program = shutil.which(program) if location else None

    def port_of(self, port: str) -> str:
        """The hub's port on which a device at that place hangs (`1-1.4` on hub `1-1`: "4"); "" when it does not, or the
        program is not there."""
        found = re.fullmatch(re.escape(self._location) + r"[.-](\d+)", port) if self._program else None
        return found[1] if found else ""

    async def cycle(self, port: str) -> None:
        """Off and on again; BoardFailed with what the program said."""
        assert self._program is not None
        process = await asyncio.create_subprocess_exec(
            *(self._program, "-l", self._location, "-p", self.port_of(port), "-a", "cycle"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(CYCLE_S):
                said, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise BoardFailed(f"uhubctl did not end within {CYCLE_S:.0f} s") from None
        if process.returncode:
            raise BoardFailed(f"uhubctl: {said.decode(errors='replace').strip()[-200:]}")
