"""Where a miner's files are, and what its start needs of the host.

miners/rigs/<name>/run.sh   for people;  log, log.1: its output;  home/: its own folder, which it may write to
"""

import os
import pwd
import sys
from pathlib import Path

from schema.message import Invalid
from sentry.mining import run_script
from sentry.mining.miner_plan import Plan
from sentry.mining.miner_settings import MinerSettings
from sentry.mining.process import PATH, Launch

HUGE_PAGES = Path("/proc/sys/vm/nr_hugepages")


class Places:
    def __init__(self, folder: Path, settings: MinerSettings) -> None:
        self.folder, self._settings = folder, settings

    def make(self) -> None:
        """The folder. OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755 if self._settings.user else 0o700)

    def prepare(self) -> None:
        """Invalid unless miners can be started here at all."""
        if os.getuid() != 0:
            if self._settings.user:
                raise Invalid("FARMHAND_MINER_USER", "is for a sentry that runs as root")
        elif not self._settings.user and not self._settings.allow_root:
            raise Invalid("FARMHAND_MINER_USER", "must name the miners' user, since the sentry runs as root")
        elif self._settings.user and (barrier := _barrier(self.folder, self._settings.user)):
            where = "FARMHAND_MINER_FOLDER can name another place, as /var/lib/farmhand-miners"
            raise Invalid("FARMHAND_MINER_USER", f"{self._settings.user} may not enter {barrier}; {where}")

    def log(self, name: str) -> Path:
        return self._of(name) / "log"

    def launch(self, plan: Plan, program: Path) -> Launch:
        """All that is needed to start it; makes its folders."""
        home = self._of(plan.name) / "home"
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._settings.user:
            entry = pwd.getpwnam(self._settings.user)
            os.chown(home, entry.pw_uid, entry.pw_gid)
            for each in (self.folder / "rigs", self._of(plan.name)):
                each.chmod(0o755)
        told = plan.told
        return Launch(
            program, plan.argv, told.get("env", {}), home, self.log(plan.name), self._settings.user,
            told.get("nice", 0), told.get("cpus", ()),
        )  # fmt: skip

    def write_script(self, plan: Plan, program: Path) -> None:
        """For the owner to read, and to run by hand."""
        launch = self.launch(plan, program)
        env = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": str(launch.folder), **launch.env}
        write = run_script.batch if sys.platform == "win32" else run_script.shell
        path = self._script(plan.name)
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o700)) as file:
            file.write(write(launch.argv, env, str(launch.folder)))

    def remove_scripts(self) -> None:
        """Of all miners. What they keep for themselves, and their logs, stay."""
        for each in (self.folder / "rigs").glob("*/run.*"):
            each.unlink()

    def reserve(self, plan: Plan) -> None:
        """Huge pages, where the host's owner allows it. OSError."""
        wanted = plan.told.get("huge_pages", 0)
        if wanted and self._settings.huge_pages and int(HUGE_PAGES.read_text()) < wanted:
            HUGE_PAGES.write_text(f"{wanted}\n")

    def _script(self, name: str) -> Path:
        return self._of(name) / ("run.bat" if sys.platform == "win32" else "run.sh")

    def _of(self, name: str) -> Path:
        return self.folder / "rigs" / name


def _barrier(folder: Path, user: str) -> Path | None:
    """The first folder on the way that the user may not enter."""
    entry = pwd.getpwnam(user)
    groups = os.getgrouplist(user, entry.pw_gid)
    for each in [*reversed(folder.resolve().parents), folder]:
        found = each.stat()
        shift = 6 if found.st_uid == entry.pw_uid else 3 if found.st_gid in groups else 0
        if not found.st_mode >> shift & 1:
            return each
    return None
