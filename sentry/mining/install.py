"""Brings a miner's software to this host: fetched, checked, unpacked to a folder of its own. Nothing of it is run here,
and nothing that is there already is touched.

software/<name>-<release>-<sha256>/  the unpacked software; .farmhand.json there: the program's own sha256
partial/<sha256>                     what was fetched so far
"""

import asyncio
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from schema.message import Invalid
from sentry.home import Home
from sentry.host_os import system
from sentry.mining import archive
from sentry.mining.fetch import Progress, digest, fetch
from sentry.mining.miner_plan import Program

NOTE = ".farmhand.json"


class Installer:
    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        self._digests: dict[tuple[str, int, int], str] = {}

    def place(self, program: Program) -> Path:
        """Where the program is, or will be."""
        if self._runs_where_it_lies(program):
            return Path(program.path)
        return self._folder / "software" / program.key / program.member

    async def ready(self, program: Program) -> Path:
        """The program, checked: what is run now. Invalid unless it is there and as it was."""
        place = self.place(program)
        if self._runs_where_it_lies(program):
            wanted = program.sha256
        else:
            note = (
                Home(place_of(self._folder, program)).read(NOTE) if (place_of(self._folder, program)).is_dir() else None
            )
            if note is None or note.get("sha256") != program.sha256 or note.get("member") != program.member:
                raise Invalid("programs", f"{program.key} is not installed")
            wanted = str(note.get("program"))
        found = await asyncio.to_thread(_digest_of_program, place)
        if found != wanted:
            raise Invalid("programs.sha256", f"of {place} is {found}, not {wanted}")
        return place

    async def install(self, program: Program, progress: Progress) -> Path:
        """As `ready`, after whatever it needs."""
        if self._runs_where_it_lies(program):
            return await self.ready(program)
        try:
            return await self.ready(program)
        except Invalid:
            pass
        source = Path(program.path) if program.path else self._folder / "partial" / program.sha256
        if program.path:
            found = await asyncio.to_thread(_digest_of_file, source)
            if found != program.sha256:
                raise Invalid("programs.sha256", f"of {source} is {found}, not {program.sha256}")
        else:
            source.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            await fetch(program.url, program.sha256, source, self._most, progress)
        await asyncio.to_thread(self._unpack, program, source)
        if not program.path:
            source.unlink(missing_ok=True)
        return await self.ready(program)

    def _unpack(self, program: Program, source: Path) -> None:
        folder = place_of(self._folder, program)
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        beside = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
        beside.mkdir(mode=0o755)
        try:
            if program.archive == "none":
                (beside / program.member).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, beside / program.member)
            else:
                archive.unpack(source, program.archive, beside, self._most)
            main = beside / program.member
            if main.is_symlink() or not main.is_file():
                raise Invalid("programs.member", f"no file {program.member!r} in the archive")
            main.chmod(0o755)
            note = {"sha256": program.sha256, "member": program.member, "program": digest(main)}
            if (beside / NOTE).is_symlink():
                raise Invalid("archive", f"holds a link {NOTE}")
            Home(beside).write(NOTE, note)
            system.settle_disk()  # of a power cut, the folder is whole or not there
            archive.remove(folder)
            beside.rename(folder)
        except OSError as error:
            raise Invalid("programs", f"cannot be installed: {error.strerror or error}") from None
        finally:
            archive.remove(beside)

    @staticmethod
    def _runs_where_it_lies(program: Program) -> bool:
        return bool(program.path) and program.archive == "none"


def place_of(folder: Path, program: Program) -> Path:
    return folder / "software" / program.key


def _digest_of_program(path: Path) -> str:
    found = _digest_of_file(path)
    if not os.access(path, os.X_OK):
        raise Invalid("programs.path", f"{path} may not be run: it is not executable")
    return found


def _digest_of_file(path: Path) -> str:
    try:
        if not path.is_file():
            raise Invalid("programs.path", f"{path} is no file")
        return digest(path)
    except OSError as error:
        raise Invalid("programs.path", f"{path}: {error.strerror}") from None


async def install_all(
    installer: Installer, wanted: dict[str, Program], tell: Callable[[str, int], None]
) -> dict[str, Path]:
    """Each by its name; ``tell(name, %)``."""
    found: dict[str, Path] = {}
    for name, program in wanted.items():
        found[name] = await installer.install(program, lambda pct, name=name: tell(name, pct))
    return found
