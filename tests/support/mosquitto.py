"""A Mosquitto as a process of the test: started, frozen, killed, started again."""

import signal
import socket
import subprocess
from pathlib import Path

from tests.conftest import program
from tests.support.waiting import PATIENCE, wait_until


class Mosquitto:
    """`mosquitto.conf` in `folder` says what it does; it must listen on `port` of 127.0.0.1."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers."""
        path = program("mosquitto")
        assert path is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([path, "-c", self.folder / "mosquitto.conf"], stdout=log, stderr=log)
        wait_until("the broker's port", self._answers)

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, if it runs; a frozen one too."""
        if self._process is not None:
            self.send(number)
            self.send(signal.SIGCONT)
            self._process.wait(PATIENCE)
            self._process = None

    def log(self) -> str:
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
