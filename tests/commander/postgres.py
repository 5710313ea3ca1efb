"""A real PostgreSQL cluster on a socket in a folder of its own; root has another user run it."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.conftest import program


class Cluster:
    """`url` of its database; start() and stop() may be repeated.

    options: for the server; by default it does not wait for the disk.
    """

    def __init__(self, options: str = "-c fsync=off") -> None:
        self._options = options
        # Not below pytest's folder: that is closed to the user who must own a cluster.
        self.folder = Path(tempfile.mkdtemp(prefix="farmhand-pg-"))
        self._data = self.folder / "data"
        self._as: dict[str, str] = {}
        if os.getuid() == 0:
            user = next(name for name in ("postgres", "nobody") if _exists(name))
            shutil.chown(self.folder, user)
            self._as = {"user": user, "group": str(pwd.getpwnam(user).pw_gid)}
        self._run(
            "initdb",
            "-D",
            self._data,
            "-U",
            "farm",
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        )
        self.url = f"postgresql+psycopg://farm@/postgres?host={self.folder}"

    def start(self) -> "Cluster":
        options = f"-k {self.folder} -c listen_addresses='' {self._options}"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self.folder / "log", "-o", options, "start")
        return self

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def remove(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def _run(self, name: str, *arguments: str | Path) -> None:
        path = program(name)
        assert path
        group = int(self._as["group"]) if self._as else None
        with (self.folder / "out").open("w+") as out:
            done = subprocess.run(
                [path, *arguments],
                stdout=out,
                stderr=out,
                cwd="/",
                check=False,
                user=self._as.get("user"),
                group=group,
                extra_groups=[] if self._as else None,
            )
            out.seek(0)
            assert done.returncode == 0, out.read()


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
