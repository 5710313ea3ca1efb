"""A sentry of the farm under test, and its own record of every event it ever put into its outbox."""

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT


class Sentry:
    """State folder of an enrolled sentry; a process of the test unless `farmhand up` runs it."""

    def __init__(self, state: Path, domain: str, environment: dict[str, str]) -> None:
        self.state, self.domain, self.environment = state, domain, environment
        self.name = state.name
        self.process: subprocess.Popen[bytes] | None = None
        self._loads: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.process = self._run("run")

    def kill(self) -> None:
        """As a power cut ends it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        for process in (*self._loads, self.process):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)

    def emit(self, count: int, rate: float) -> "subprocess.Popen[bytes]":
        """`count` test events into the outbox, `rate` a second (0: at once), by a process of its own."""
        load = self._run("emit", "--count", str(count), "--rate", str(rate))
        self._loads.append(load)
        return load

    def _run(self, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "farmhand", "sentry", *arguments, "--state", str(self.state)]
        with (self.state / "log").open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def ask(self, query: str) -> list[Any]:
        """Rows of its outbox file, read beside it."""
        outbox = sqlite3.connect(f"file:{self.state}/outbox.sqlite?mode=ro", uri=True, timeout=20)
        try:
            return outbox.execute(query).fetchall()
        finally:
            outbox.close()

    @property
    def last(self) -> int:
        """Number of the newest event."""
        return self.ask("SELECT next_seq FROM stream")[0][0] - 1

    @property
    def mark(self) -> int:
        """Highest number up to which the commander said that everything is stored."""
        return self.ask("SELECT mark FROM stream")[0][0]

    def history(self) -> dict[tuple[str, int], tuple[str, Any]]:
        """(stream, seq) -> (topic, data) of everything that ever went into the outbox."""
        rows = self.ask("SELECT stream, seq, topic, payload FROM history")
        return {(stream, seq): (topic, json.loads(payload)) for stream, seq, topic, payload in rows}
