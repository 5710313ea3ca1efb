"""Finds ASICs in a range of addresses that a person named, by what they answer. Slowly enough for any network."""

import asyncio
import ipaddress
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from schema.message import Invalid
from sentry.mining.asic_look import OWN, Looker, described
from sentry.mining.asic_settings import AsicSettings
from sentry.mining.miners import NoAnswer
from sentry.reading import Scalar

MOST_ADDRESSES = 4096  # a /20
MOST_FOUND = 600
PORTS: dict[int, tuple[str, ...]] = {4028: ("cgminer",), 80: ("bitaxe", "iceriver")}
AT_ONCE = 64
TELL_S = 1.0


def addresses(text: str, force: bool = False) -> list[str]:
    """Every address of "192.168.1.0/24" or "192.168.1.10-192.168.1.99". Invalid."""
    try:
        if "-" in text:
            first, last = (ipaddress.IPv4Address(each.strip()) for each in text.split("-", 1))
        else:
            network = ipaddress.IPv4Network(text.strip(), strict=False)
            first, last = network[0], network[-1]
            if network.num_addresses > 2:  # its own address and that of all
                first, last = first + 1, last - 1
    except ValueError:
        raise Invalid("range", "must be as 192.168.1.0/24 or 192.168.1.10-192.168.1.99") from None
    count = int(last) - int(first) + 1
    if not 0 < count <= MOST_ADDRESSES:
        raise Invalid("range", f"must be 1 to {MOST_ADDRESSES} addresses, the lower one first")
    found = [first + number for number in range(count)]
    if not force and not all(each.is_private or each.is_loopback for each in found):
        raise Invalid(
            "range", "is not private: whoever owns these addresses must want it; `force` does it all the same"
        )
    return [str(each) for each in found]


class Scan:
    """``tell(pct, found)`` is called now and then."""

    def __init__(self, looker: Looker, settings: AsicSettings, tell: Callable[[int, int], None]) -> None:
        self._looker, self._settings, self._tell = looker, settings, tell
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._next = self._told_at = 0.0
        self._done = self._all = 0
        self._found: list[dict[str, Scalar]] = []

    async def run(self, hosts: Sequence[str], ports: Sequence[int] = ()) -> dict[str, Any]:
        """{"asked": addresses, "found": what described() says of each, "more": how many were left out}"""
        wanted = {port: PORTS.get(port, OWN) for port in ports} or PORTS
        self._all = len(hosts) * len(wanted)
        async with asyncio.TaskGroup() as group:
            for host in hosts:
                for port, kinds in wanted.items():
                    await self._gate.acquire()
                    await self._pace()
                    group.create_task(self._ask(host, port, kinds))
        order = sorted(self._found, key=lambda each: (ipaddress.IPv4Address(str(each["host"])), str(each["port"])))
        return {"asked": len(hosts), "found": order[:MOST_FOUND], "more": max(0, len(order) - MOST_FOUND)}

    async def _pace(self) -> None:
        now = time.monotonic()
        self._next = max(self._next + 1 / self._settings.scan_per_s, now)
        if self._next > now:
            await asyncio.sleep(self._next - now)

    async def _ask(self, host: str, port: int, kinds: tuple[str, ...]) -> None:
        try:
            if await self._is_open(host, port):
                kind, figures = await self._looker.find(host, port, kinds)
                usual = self._looker.adapter(kind).port == port
                self._found.append(described(kind, host, 0 if usual else port, figures))
        except NoAnswer:
            pass
        finally:
            self._gate.release()
            self._done += 1
            if time.monotonic() - self._told_at > TELL_S:
                self._told_at = time.monotonic()
                self._tell(100 * self._done // self._all, len(self._found))

    async def _is_open(self, host: str, port: int) -> bool:
        try:
            async with asyncio.timeout(self._settings.scan_answer_s):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True
