"""Run as a program: a sentry's modules on what looks like Windows to them. Its output: a JSON object for the test.

Libraries are loaded as they are on this host; then what only POSIX has goes away, and ours are loaded anew.
"""

import importlib
import json
import os
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("sentry", "schema", "esp_node", "farmhand")
NO_MODULES = ("fcntl", "pwd", "grp", "resource", "termios")
NO_NAMES: dict[ModuleType, tuple[str, ...]] = {
    os: (
        "pidfd_open", "killpg", "getuid", "geteuid", "setsid", "sched_setaffinity", "sched_getaffinity", "getpgrp",
        "getpgid", "O_CLOEXEC", "sync", "chown", "setpriority", "PRIO_PROCESS", "getgrouplist", "getloadavg", "uname",
        "WNOHANG",
    ),
    signal: ("SIGKILL", "SIGCONT", "SIGSTOP", "SIGHUP"),
}  # fmt: skip
ROOT = Path(__file__).parents[2]


def modules(root: Path) -> list[str]:
    """All of the sentry but what other commands than `sentry` are made of."""
    others = ("mining.cli", "mining.asic_cli", "mining.simulated_", "mining.duco_server", "mining.duco_judged")
    of_linux = ("host_posix", "host_windows", "mining.process", "mining.i2c_bus", "mining.i2c_door", "mining.i2c_rig")
    parts_of_linux = ("boards",)
    found = [".".join(each.relative_to(root).with_suffix("").parts) for each in (root / "sentry").rglob("*.py")]
    found = [each.removesuffix(".__init__") for each in found]
    return sorted(
        each
        for each in found
        if not each.removeprefix("sentry.").startswith(others + parts_of_linux)
        and each.removeprefix("sentry.") not in of_linux
    )


def go_to_windows() -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] in PACKAGES or each in NO_MODULES]:
        del sys.modules[name]
    for name in NO_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it fails
    for module, names in NO_NAMES.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    signal.SIGBREAK = signal.SIGUSR1  # type: ignore[attr-defined]
    sys.modules["msvcrt"] = ModuleType("msvcrt")
    sys.platform = "win32"


def main() -> None:
    wanted = modules(ROOT)
    for name in wanted:  # with all the libraries that they need
        importlib.import_module(name)
    go_to_windows()
    for name in wanted:
        importlib.import_module(name)
    print(json.dumps({"modules": wanted, **tried(Path(sys.argv[1]))}))


def tried(folder: Path) -> dict[str, Any]:
    """What is decided there, as far as nobody but Windows itself need be asked."""
    from schema.message import Invalid
    from sentry.errors import SentryError
    from sentry.home import Home
    from sentry.mining import host_catalog, process_portable
    from sentry.mining.i2c_settings import RigSettings
    from sentry.mining.miner_places import Places
    from sentry.mining.miner_plan import Refused, plans
    from sentry.mining.miner_settings import MinerSettings
    from sentry.mining.processes import processes
    from sentry.mining.settings import load
    from tests.mining.hosts import digest, miner

    def refusal(call: Any) -> str:
        try:
            call()
        except (SentryError, Refused, Invalid) as error:
            return str(error)
        return ""

    def setting(kind: Any, name: str, value: str) -> str:
        os.environ[name] = value
        try:
            return refusal(lambda: load(kind))
        finally:
            del os.environ[name]

    def planned(**change: Any) -> Any:
        path = {"path": str(folder / change.pop("file", "m.exe")), "sha256": "0" * 64, "archive": "none"}
        return plans([miner(change.pop("name", "cpu"), programs={"windows-x86_64": path}, **change)],
                     "windows-x86_64", {0}, None)  # fmt: skip

    settings = load(MinerSettings)
    places = Places(folder / "miners", settings)
    places.make()
    (plan,) = planned(args=["-o", "pool:1"])
    places.write_script(plan, folder / "m.exe")
    script = (folder / "miners" / "rigs" / "cpu" / "run.bat").read_bytes().decode()
    (plan,) = planned(args=['{"a": 1}'], name="json")
    places.write_script(plan, folder / "m.exe")
    home = Home(folder)
    home.write("note.json", {"kept": True})
    (folder / "catalog.toml").write_text("", encoding="utf-8")
    readings = {name: len(importlib.import_module(f"sentry.collect.{name}").Collector().read()) for name in ("host",)}
    return {
        "portable": processes(settings.processes) is process_portable,
        "user": setting(MinerSettings, "FARMHAND_MINER_USER", "nobody"),
        "huge_pages": setting(MinerSettings, "FARMHAND_MINER_HUGE_PAGES", "yes"),
        "native": setting(MinerSettings, "FARMHAND_MINER_PROCESSES", "native"),
        "bus": setting(RigSettings, "FARMHAND_RIG_BUS", "1"),
        "batch": refusal(lambda: planned(file="m.bat")),
        "name": refusal(lambda: planned(name="nul")),
        "env": refusal(lambda: planned(env={"Path": "x"})),
        "system_root": refusal(lambda: planned(env={"SystemRoot": "x"})),
        "script": script,
        "no_script": (folder / "miners" / "rigs" / "json" / "run.bat").read_text(),
        "note": home.read("note.json"),
        "catalog": host_catalog.load(folder),
        "readings": readings,
        "digest": digest(folder / "note.json") != "",
    }


if __name__ == "__main__":
    main()
