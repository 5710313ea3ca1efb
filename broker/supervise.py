"""Mosquitto as a child process: found, started, read, reloaded, ended."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from broker.errors import BrokerFailed

PR_SET_PDEATHSIG = 1


def find_mosquitto() -> str:
    """Path of the Mosquitto to run; raises `BrokerFailed` saying how to get one."""
    named = os.environ.get("FARMHAND_MOSQUITTO")
    if named:
        if os.access(named, os.X_OK):
            return named
        raise BrokerFailed(f"FARMHAND_MOSQUITTO={named}: is no program")
    found = shutil.which("mosquitto")
    for candidate in (found, "/usr/sbin/mosquitto", ".local/bin/mosquitto"):
        if candidate and os.access(candidate, os.X_OK):
            return str(Path(candidate).absolute())
    hint = "install the package mosquitto, or name it in FARMHAND_MOSQUITTO"
    raise BrokerFailed(f"mosquitto: not found; {hint}")


def delay(failures: int) -> float:
    """Seconds to wait before start number ``failures`` + 1 in a row: 0.5, 1, 2 ... at most 30."""
    return min(30.0, 0.5 * 2.0 ** max(0, failures - 1))


class Child:
    """A running Mosquitto; a thread calls ``on_line(text)`` and, last, ``on_exit(self)``."""

    def __init__(
        self,
        program: str,
        conf: Path,
        on_line: Callable[[str], None],
        on_exit: "Callable[[Child], None]",
    ) -> None:
        try:
            # preexec_fn only calls prctl, which is safe between fork and exec.
            self._process = subprocess.Popen(
                [program, "-c", str(conf)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
                # Ctrl-C is the steward's to handle: it says goodbye before it ends the broker.
                start_new_session=True,
            )
        except OSError as error:
            raise BrokerFailed(f"{program}: cannot start: {error.strerror}") from None
        self._on_line, self._on_exit = on_line, on_exit
        self._reader = threading.Thread(target=self._read, name="mosquitto", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        return self._process.poll()

    def reload(self) -> None:
        """Have password and ACL file read again; connected clients stay."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self, patience: float = 10.0) -> None:
        """End it so that it saves its state; kill it after ``patience`` seconds."""
        self._process.terminate()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(patience)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._on_line(line.rstrip("\n"))
        self._process.wait()
        self._on_exit(self)


def _die_with_parent() -> None:
    # A killed steward must not leave a broker behind that keeps the port from the next one.
    # SIGTERM, not SIGKILL: Mosquitto saves its state.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
