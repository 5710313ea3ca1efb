"""Software comes to the host over real HTTP, and out of archives that mean no good."""

import asyncio
import http.server
import io
import os
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.message import Invalid
from sentry.mining import fetch
from sentry.mining.archive import check_member, unpack
from sentry.mining.install import Installer
from sentry.mining.miner_plan import Program
from tests.mining.hosts import SIMULATED, digest, packed

MOST = 1024 * 1024


class Depot(http.server.BaseHTTPRequestHandler):
    """Serves `content`; `cuts`: after how many bytes the next answers end."""

    content = b""
    cuts: list[int] = []  # noqa: RUF012
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_error(404)
            return
        begin = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or ["", "0"])[1])
        self.asked.append(self.headers.get("Range", ""))
        if begin >= len(self.content) > 0 and begin:
            self.send_error(416)
            return
        body = self.content[begin:]
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.cuts.pop(0)] if self.cuts else body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def depot() -> Iterator[str]:
    Depot.content, Depot.cuts, Depot.asked = b"", [], []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Depot) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/file"
        server.shutdown()
        thread.join()


def program(**change: Any) -> Program:
    usual = {"url": "", "path": "", "sha256": "", "archive": "tar", "member": "bin/simulated", "key": "simulated-1-0"}
    return Program(**{**usual, **change})


def install(folder: Path, wanted: Program, most: int = MOST) -> tuple[Path, list[int]]:
    told: list[int] = []
    return asyncio.run(Installer(folder, most).install(wanted, told.append)), told


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_fetched_unpacked_and_checked_at_each_start(tmp_path: Path, depot: str, kind: str) -> None:
    archive = packed(tmp_path / "simulated", kind)
    Depot.content = archive.read_bytes()
    wanted = program(url=depot, sha256=digest(archive), archive=kind.partition(".")[0])
    place, told = install(tmp_path / "miners", wanted)
    assert place == tmp_path / "miners" / "software" / "simulated-1-0" / "bin" / "simulated"
    assert place.read_bytes() == SIMULATED.read_bytes()
    assert os.access(place, os.X_OK)
    assert told
    assert not list((tmp_path / "miners" / "partial").iterdir())
    assert install(tmp_path / "miners", wanted)[0] == place
    assert len(Depot.asked) == 1  # it was there
    place.write_text("#!/bin/sh\n")
    with pytest.raises(Invalid, match="sha256: of "):
        asyncio.run(Installer(tmp_path / "miners", MOST).ready(wanted))
    install(tmp_path / "miners", wanted)  # a new rollout brings it again
    assert place.read_bytes() == SIMULATED.read_bytes()


def test_an_interrupted_download_goes_on(tmp_path: Path, depot: str) -> None:
    Depot.content = os.urandom(50_000)
    whole = tmp_path / "whole"
    whole.write_bytes(Depot.content)
    Depot.cuts = [20_000, 10_000]
    wanted = program(url=depot, sha256=digest(whole), archive="none", member="miner")
    place, _ = install(tmp_path / "miners", wanted)
    assert place.read_bytes() == Depot.content
    assert Depot.asked == ["", "bytes=20000-", "bytes=30000-"]
    # what lies there from another file does no harm
    into = tmp_path / "into"
    into.write_bytes(os.urandom(1000))
    asyncio.run(fetch.fetch(depot, digest(whole), into, MOST, lambda _: None))
    assert into.read_bytes() == Depot.content
    into.write_bytes(Depot.content)
    asyncio.run(fetch.fetch(depot, digest(whole), into, MOST, lambda _: None))  # it is all there: 416


def test_what_is_not_what_was_ordered_is_not_kept(tmp_path: Path, depot: str) -> None:
    Depot.content = b"x" * 5000
    into = tmp_path / "into"
    for url, sha256, most, why in (
        (depot, "0" * 64, MOST, "sha256: of .* is "),
        (depot, "0" * 64, 4000, "larger than 4000 bytes"),
        (depot.replace("/file", "/away"), "0" * 64, MOST, "HTTP 404"),
    ):
        with pytest.raises(Invalid, match=why):
            asyncio.run(fetch.fetch(url, sha256, into, most, lambda _: None))
        assert not into.exists()


def tar_of(path: Path, *members: tuple[str, bytes | str, bytes]) -> Path:
    """(name, content or where a link goes, type)"""
    with tarfile.open(path, "w") as file:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if isinstance(content, str):
                info.linkname = content
                file.addfile(info)
            else:
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))
    return path


REG, SYM, LINK, CHR, DIR = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([("../out", b"x", REG)], "'../out' leaves the folder"),
        ([("/out", b"x", REG)], "leaves the folder"),
        ([("a\\..\\out", b"x", REG)], "leaves the folder"),
        ([("c:out", b"x", REG)], "leaves the folder"),
        ([("a", "../..", SYM)], "the link 'a' leaves"),
        ([("a", "/etc/passwd", SYM)], "the link 'a' leaves"),
        ([("b", "", DIR), ("b/c", ".", SYM), ("l", "b/c/../../out", SYM)], "the link 'l' leaves"),
        ([("a", ".", SYM), ("a/b", b"x", REG)], "'a' is a file or a link"),
        ([("a", b"x", REG), ("a/b", b"x", REG)], "'a' is a file or a link"),
        ([("a", b"x", REG), ("a", b"y", REG)], "twice"),
        ([("a", "../../etc/passwd", LINK)], "leaves the folder"),
        ([("a", "b", LINK)], "cannot be unpacked as tar|is damaged"),
        ([("a", b"", CHR)], "neither file, folder nor link"),
        ([("a", b"x" * 2000, REG), ("b", b"x" * 2000, REG)], "more than 3000 bytes"),
    ],
)
def test_archives_that_mean_no_good(tmp_path: Path, members: Any, why: str) -> None:
    into = tmp_path / "deep" / "into"
    into.mkdir(parents=True)
    with pytest.raises(Invalid, match=why):
        unpack(tar_of(tmp_path / "bad.tar", *members), "tar", into, 3000)
    assert {each.name for each in tmp_path.rglob("*") if into not in each.parents} == {"bad.tar", "deep", "into"}


def test_zips_that_mean_no_good(tmp_path: Path) -> None:
    for number, (name, mode, why) in enumerate(
        [("../out", 0o100644, "leaves"), ("a", 0o120777, "neither file nor folder"), ("bomb", 0o100644, "more than")]
    ):
        path, into = tmp_path / f"{number}.zip", tmp_path / str(number)
        into.mkdir()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            file.writestr(info, b"0" * (10 * MOST if name == "bomb" else 3), zipfile.ZIP_DEFLATED)
        with pytest.raises(Invalid, match=why):
            unpack(path, "zip", into, MOST)
    assert not (tmp_path / "out").exists()
    (tmp_path / "no.zip").write_bytes(b"PK\3\4 no")
    with pytest.raises(Invalid, match="cannot be unpacked as zip"):
        unpack(tmp_path / "no.zip", "zip", tmp_path / "0", MOST)


def test_links_inside_are_kept(tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    members = (
        ("lib/a.so.1", b"x", REG),
        ("lib/a.so", "a.so.1", SYM),
        ("bin/b", "../lib/a.so", SYM),
        ("c", "lib/a.so.1", LINK),
    )
    unpack(tar_of(tmp_path / "good.tar", *members), "tar", into, MOST)
    assert [(into / each).read_bytes() for each in ("lib/a.so", "bin/b", "c")] == [b"x"] * 3


def test_a_broken_install_leaves_nothing(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar", ("bin/simulated", "/bin/sh", SYM))
    wanted = program(path=str(archive), sha256=digest(archive))
    with pytest.raises(Invalid, match="leaves the folder"):
        install(tmp_path / "miners", wanted)
    with closing(tarfile.open(archive)), pytest.raises(Invalid, match="is no file"):
        install(tmp_path / "miners", program(path=str(tmp_path / "none"), sha256="0" * 64))
    assert not list((tmp_path / "miners" / "software").iterdir())


@given(st.text(max_size=40))
def test_a_member_stays_below_its_folder(name: str) -> None:
    try:
        path = check_member(name)
    except Invalid:
        return
    assert not os.path.isabs(path)
    assert os.path.normpath(os.path.join("/into", path)).startswith("/into/")
