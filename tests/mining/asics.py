"""Real parts for the tests of ASICs: simulated ones in a process of their own, a sentry that watches them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from queue import Empty
from typing import Any

from sentry.home import Credential
from tests.conftest import ROOT
from tests.sentry.rig import Peer, Sentry, read
from tests.support.waiting import PATIENCE


class Simulated:
    """`farmhand asic simulate`, each at a free port of its own; ``places``: type, host, port, mood of each."""

    def __init__(self, count: int, *options: str, free: bool = True) -> None:
        argv = [sys.executable, "-m", "farmhand", "asic", "simulate", str(count), "--json", *options]
        self.process = subprocess.Popen(
            [*argv, *(["--free-ports"] if free else [])],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        self.places: list[dict[str, Any]] = json.loads(line)

    def tell(self, line: str) -> None:
        """Change one; waits until it is."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer.startswith("ok"), answer

    def records(self, **change: Any) -> list[dict[str, Any]]:
        """For the document `asics`."""
        return [
            {"name": f"a{n}", "type": p["type"], "host": p["host"], "port": p["port"], "control": False, **change}
            for n, p in enumerate(self.places)
        ]

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)


def hear(peer: Peer, **wanted: tuple[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Waits for a message each of (end of its topic, what it must be), in any order; what came, by the same names."""
    found: dict[str, Any] = {}
    end = time.monotonic() + PATIENCE
    while len(found) < len(wanted):
        try:
            message = peer.heard.get(timeout=max(0.01, end - time.monotonic()))
        except Empty:
            raise AssertionError(f"not heard: {sorted(wanted.keys() - found.keys())}") from None
        data = read(message)
        for name, (rest, fits) in wanted.items():
            if name not in found and message.topic.endswith(rest) and fits(data):
                found[name] = data
    return found


class AsicSentry(Sentry):
    """``asic``: its settings FARMHAND_ASIC_<NAME>."""

    asic: dict[str, Any] = {}  # noqa: RUF012

    def enrolled(self, broker: str, verify: str) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        credential = Credential(broker, "farm", "house", "rig1", "asic", "rig1", verify)
        (self.state / "credential.json").write_text(json.dumps(asdict(credential)))

    @property
    def place(self) -> dict[str, Any]:
        place = super().place
        values = {"poll_s": 0.3, "answer_s": 1, "report_s": 0.5, "seldom_s": 1, **self.asic}
        place["env"] |= {f"FARMHAND_ASIC_{name.upper()}": str(value) for name, value in values.items()}
        return place
