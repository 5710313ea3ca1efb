"""The miners' numbers, each with its unit; FARMHAND_MINER_<NAME> in the environment sets one."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from sentry.host_os import system
from sentry.mining.settings import Seconds


def _argv(value: Any) -> Any:
    return tuple(system.split(value)) if isinstance(value, str) else value


def _program(argv: tuple[str, ...]) -> tuple[str, ...]:
    if argv and not Path(argv[0]).is_absolute():
        raise ValueError(f"{argv[0]!r} must be the whole path of a program")
    return argv


def _user(name: str) -> str:
    if name and (problem := system.user_problem(name)):
        raise ValueError(problem)
    return name


def _huge_pages(wanted: bool) -> bool:
    if wanted and system.WINDOWS:
        raise ValueError("there is no such thing on Windows; miners with the right to lock pages use large ones")
    return wanted


def _processes(which: str) -> str:
    if which == "native" and sys.platform != "linux":
        raise ValueError("native is of Linux only")
    return which


def _folder(path: Path | None) -> Path | None:
    if path is not None and not path.is_absolute():
        raise ValueError("must be a whole path")
    return path


Argv = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_argv), AfterValidator(_program)]


class MinerSettings(BaseSettings):
    """A sentry of kind `cpu-gpu` runs the miners of its document `playbooks`, unless ``on`` is false."""

    model_config = SettingsConfigDict(env_prefix="FARMHAND_MINER_", extra="ignore", frozen=True)

    on: bool = True
    """no: the document is refused and no miner is started"""
    folder: Annotated[Path | None, AfterValidator(_folder)] = None
    """where software, logs and scripts of the miners are; `miners` in the sentry's folder unless given"""
    catalog: Literal["farm", "host"] = "farm"
    """host: only programs that `catalog.toml` in the sentry's folder names are run, whatever the document says"""
    user: Annotated[str, AfterValidator(_user)] = ""
    """unprivileged user of the miners, for a sentry that runs as root"""
    allow_root: bool = False
    """let miners of a sentry that runs as root be root, too"""
    outlive: bool = True
    """whether miners go on when the sentry is stopped; those of one that was killed always do"""
    huge_pages: Annotated[bool, AfterValidator(_huge_pages)] = False
    """let a playbook reserve huge pages (as root only)"""
    processes: Annotated[Literal["native", "portable"], AfterValidator(_processes)] = (
        "native" if sys.platform == "linux" else "portable"
    )
    """portable: look after processes by what every system has, which costs a little more"""
    restart_driver: Argv = ()
    """program with arguments for the deed restart-driver; without one only the alert says so"""
    reboot: Argv = ()
    """program with arguments for the deed reboot, as `/usr/sbin/reboot`; without one only the alert says so"""
    poll_s: Seconds = 10
    """between two looks at a miner"""
    ask_s: Seconds = 60
    """between two requests for the document"""
    stop_s: Seconds = 15
    """how long a miner may take to end before it is killed"""
    retry_s: Seconds = 1
    retry_most_s: Seconds = 60
    """first and longest pause before a miner that ended is started again; half to all of it, by chance"""
    crashes: int = Field(default=6, ge=1, le=100)
    """so many ends in a row, each before the miner ran for `steady_s`, and it is left alone"""
    steady_s: Seconds = 120
    """a miner that ran for so long has not crashed at its start"""
    log_bytes: int = Field(default=1024 * 1024, ge=4096)
    """of each miner's log; the older half goes then"""
    software_bytes: int = Field(default=4 * 1024**3, ge=1024)
    """most bytes of one software, fetched or unpacked"""
