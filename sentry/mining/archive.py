"""Unpacks a software: what is in an archive may be anybody's, so only plain things with plain names come out of it.

Nothing is written outside of the folder, and at most so many files and bytes, however they are packed. Blocking.
"""

import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO

from schema.message import Invalid

MOST_FILES = 20_000
CHUNK = 1024 * 1024


def check_member(name: str) -> PurePosixPath:
    """A path within the archive. Invalid unless it stays there on every system."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise Invalid("archive", f"the path {name[:200]!r} leaves the folder")
    return path


def unpack(archive: Path, kind: str, folder: Path, most_bytes: int) -> None:
    """Into ``folder``, which must be there and empty. Invalid, with nothing said about what is there then."""
    try:
        if kind == "zip":
            with zipfile.ZipFile(archive) as file:
                _Writer(folder, most_bytes).write_all(_of_zip(file))
        else:
            with closing(tarfile.open(archive, "r:*")) as file:
                _Writer(folder, most_bytes).write_all(_of_tar(file))
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        if isinstance(error, Invalid):
            raise
        raise Invalid("archive", f"cannot be unpacked as {kind}: {error}"[:300]) from None
    except OSError as error:
        raise Invalid("archive", f"cannot be unpacked: {error.strerror or error}") from None
    except Exception as error:  # lzma and zlib have errors of their own
        raise Invalid("archive", f"is damaged: {error}"[:300]) from None


class _Member:
    """``content`` None: a folder; ``link``: where a symbolic link goes."""

    def __init__(self, name: str, content: IO[bytes] | None = None, link: str = "") -> None:
        self.name, self.content, self.link = name, content, link


class _Writer:
    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._left = folder, most_bytes
        self._most = most_bytes

    def write_all(self, members: Iterator[_Member]) -> None:
        links: list[Path] = []
        for number, member in enumerate(members):
            if number >= MOST_FILES:
                raise Invalid("archive", f"holds more than {MOST_FILES} files")
            if PurePosixPath(member.name) == PurePosixPath("."):
                continue
            path = self._folder / check_member(member.name)
            self._make_folder(path.parent)
            if member.link:
                path.symlink_to(member.link)
                links.append(path)
            elif member.content is None:
                self._make_folder(path)
            else:
                self._write(path, member.content)
        # Only now is it known where links go: one may lead over another.
        root = self._folder.resolve()
        for link in links:
            if not link.resolve().is_relative_to(root):
                raise Invalid("archive", f"the link {link.name!r} leaves the folder")

    def _make_folder(self, path: Path) -> None:
        """Never through a link."""
        for each in [*reversed(path.relative_to(self._folder).parents), path.relative_to(self._folder)]:
            at = self._folder / each
            if at.is_symlink() or (at.exists() and not at.is_dir()):
                raise Invalid("archive", f"{str(each)!r} is a file or a link, and a folder, too")
            at.mkdir(exist_ok=True, mode=0o755)

    def _write(self, path: Path, content: IO[bytes]) -> None:
        if path.is_symlink() or path.exists():
            raise Invalid("archive", f"{path.name!r} is in it twice")
        with open(path, "xb") as file:
            while chunk := content.read(min(CHUNK, self._left + 1)):
                self._left -= len(chunk)
                if self._left < 0:
                    raise Invalid("archive", f"holds more than {self._most} bytes")
                file.write(chunk)
        path.chmod(0o644)


def _of_tar(file: tarfile.TarFile) -> Iterator[_Member]:
    for member in file:
        if member.isdir():
            yield _Member(member.name)
        elif member.issym():
            if PurePosixPath(member.linkname).is_absolute():
                raise Invalid("archive", f"the link {member.name[:200]!r} leaves the folder")
            yield _Member(member.name, link=member.linkname)
        elif member.isreg():
            yield _Member(member.name, file.extractfile(member))
        elif member.islnk():
            check_member(member.linkname)  # names a file within the archive, so its content is read there
            yield _Member(member.name, file.extractfile(member))
        else:
            raise Invalid("archive", f"{member.name[:200]!r} is neither file, folder nor link")


def _of_zip(file: zipfile.ZipFile) -> Iterator[_Member]:
    for info in file.infolist():
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Invalid("archive", f"{info.filename[:200]!r} is neither file nor folder")
        if info.is_dir():
            yield _Member(info.filename)
        else:
            with file.open(info) as content:
                yield _Member(info.filename, content)


def remove(folder: Path) -> None:
    """All of it, also what is not there."""
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):
        folder.unlink()
