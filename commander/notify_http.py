"""A request to somebody else's server, for the outputs that need one."""

from typing import Any
from urllib.parse import urlsplit

import httpx

from commander.notify import ANSWER_S, NotSent


def web_address(url: str) -> str:
    """The address, when it is one. ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > 1024 or not url.isprintable():
        raise ValueError("must be http://host/... or https://host/...")
    return url


def post(url: str, content: bytes, headers: dict[str, str]) -> None:
    """NotSent unless the answer is a success; redirects are not followed."""
    given: dict[str, Any] = {"content": content, "headers": headers, "timeout": ANSWER_S}
    try:
        answer = httpx.post(url, **given)
    except httpx.HTTPError as error:
        raise NotSent(f"{urlsplit(url).netloc}: {error or type(error).__name__}") from None
    if not answer.is_success:
        raise NotSent(f"{urlsplit(url).netloc}: HTTP {answer.status_code} {answer.text[:100]}")
