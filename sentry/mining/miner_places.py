"""Where a miner's files are, and what its start needs of the host.

miners/rigs/<name>/run.sh   for people;  log, log.1: its output;  home/: its own folder, which it may write to
"""

import os
from pathlib import Path

from schema.message import Invalid
from sentry.host_os import system
from sentry.mining import run_script
from sentry.mining.miner_plan import Plan
from sentry.mining.miner_settings import MinerSettings
from sentry.mining.processes import Launch

HUGE_PAGES = Path("/proc/sys/vm/nr_hugepages")
UNPRIVILEGED = (
    ("FARMHAND_MINER_ALLOW_ROOT", "must be yes, or the sentry no administrator: its miners are what it is")
    if system.WINDOWS
    else ("FARMHAND_MINER_USER", "must name the miners' user, since the sentry runs as root")
)


class Places:
    def __init__(self, folder: Path, settings: MinerSettings) -> None:
        self.folder, self._settings = folder, settings

    def make(self) -> None:
        """The folder. OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755 if self._settings.user else 0o700)

    def prepare(self) -> None:
        """Invalid unless miners can be started here at all."""
        user = self._settings.user
        if user and self._settings.processes == "portable":
            raise Invalid("FARMHAND_MINER_PROCESSES", "portable ones are always of the sentry's own user")
        if not system.is_privileged():
            if user:
                raise Invalid("FARMHAND_MINER_USER", "is for a sentry that runs as root")
        elif not user and not self._settings.allow_root:
            raise Invalid(*UNPRIVILEGED)
        elif user and (barrier := system.enter_barrier(self.folder, user)):
            where = "FARMHAND_MINER_FOLDER can name another place, as /var/lib/farmhand-miners"
            raise Invalid("FARMHAND_MINER_USER", f"{user} may not enter {barrier}; {where}")

    def log(self, name: str) -> Path:
        return self._of(name) / "log"

    def launch(self, plan: Plan, program: Path) -> Launch:
        """All that is needed to start it; makes its folders."""
        home = self._of(plan.name) / "home"
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._settings.user:
            system.give(home, self._settings.user)
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
        env = {**system.own_env(launch.folder), **launch.env}
        try:
            text = (run_script.batch if system.WINDOWS else run_script.shell)(launch.argv, env, str(launch.folder))
        except Invalid as error:  # the miner itself can be started all the same
            text = f"@rem {run_script.HEAD}; {error}\r\n"
        # As it is: a batch file has its own ends of lines.
        with open(
            self._script(plan.name), "w", encoding="utf-8", newline="", opener=lambda p, flags: os.open(p, flags, 0o700)
        ) as file:
            file.write(text)

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
        return self._of(name) / ("run.bat" if system.WINDOWS else "run.sh")

    def _of(self, name: str) -> Path:
        return self.folder / "rigs" / name
