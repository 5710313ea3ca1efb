"""Fetches a file over HTTP: goes on where it was interrupted, and checks it while it comes."""

import asyncio
import hashlib
import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from schema.message import Invalid
from sentry.flight import retry_pause

log = logging.getLogger(__name__)

TRIES = 5
Progress = Callable[[int], None]
"""is told %"""


async def fetch(url: str, sha256: str, into: Path, most_bytes: int, progress: Progress) -> None:
    """Whole and checked in ``into`` afterwards; what came so far stays there when it fails. Invalid says why."""
    timeout = httpx.Timeout(30, connect=15)
    async with httpx.AsyncClient(timeout=timeout, follow_redirects=True, max_redirects=5) as http:
        for attempt in range(1, TRIES + 1):
            begun = into.stat().st_size if into.exists() else 0
            try:
                found = await _once(http, url, into, most_bytes, progress)
            except httpx.InvalidURL as error:
                raise Invalid("url", f"{url}: {error}"[:400]) from None
            except (httpx.TransportError, httpx.TooManyRedirects, Interrupted) as error:
                problem = f"cannot be fetched from {url}: {error or type(error).__name__}"
                if attempt == TRIES:
                    raise Invalid("url", problem[:400]) from None
                log.info("%s; tried again", problem)
                await asyncio.sleep(retry_pause(attempt, 0.5, 30, random.random()))
                continue
            if found == sha256:
                return
            into.unlink()
            if not begun:  # else the begin may have been another file's: from the start, then
                raise Invalid("sha256", f"of {url} is {found}, not {sha256}")
        raise Invalid("url", f"{url} is another file each time")


class Interrupted(Exception):
    """The server failed, or ended before the end."""


async def _once(http: httpx.AsyncClient, url: str, into: Path, most_bytes: int, progress: Progress) -> str:
    """The sha256 of the whole file."""
    have = into.stat().st_size if into.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    # A length that is told must be that of the bytes that come.
    async with http.stream("GET", url, headers={**headers, "Accept-Encoding": "identity"}) as answer:
        if answer.status_code == 416:  # nothing is behind what is here
            return await asyncio.to_thread(digest, into)
        if answer.status_code >= 500:
            raise Interrupted(f"HTTP {answer.status_code}")
        if answer.status_code not in (200, 206):
            raise Invalid("url", f"{url}: HTTP {answer.status_code}")
        goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if answer.status_code == 206 and not goes_on:
            into.unlink(missing_ok=True)
            raise Interrupted("another part came than was asked for")
        have = have if goes_on else 0
        hasher = await asyncio.to_thread(_hashed, into) if goes_on else hashlib.sha256()
        whole = have + int(answer.headers.get("Content-Length") or 0)
        with open(into, "ab" if goes_on else "wb") as file:
            async for chunk in answer.aiter_raw():
                have += len(chunk)
                if have > most_bytes:
                    into.unlink()
                    raise Invalid("url", f"{url} is larger than {most_bytes} bytes")
                file.write(chunk)
                hasher.update(chunk)
                progress(min(99, 100 * have // whole) if whole else 0)
        if have < whole:
            raise Interrupted(f"{have} of {whole} bytes came")
        return hasher.hexdigest()


def digest(path: Path) -> str:
    """sha256 of a file, as hexadecimal digits. Blocking."""
    return _hashed(path).hexdigest()


def _hashed(path: Path) -> Any:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256")
