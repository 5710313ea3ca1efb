"""A document `playbooks` -> what this host shall run; refused as a whole when one miner cannot be. Pure but for the
host's processors and users, which are handed in.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from schema.message import Invalid
from sentry.mining import miners
from sentry.mining.archive import check_member
from sentry.mining.schedule import check_schedule
from sentry.mining.watchdog import Watch, check_watch

MOST_MINERS = 32
GRACE_S = 180
LONGEST_NAME = 42  # an alert's name, miner-<name>-mem_temperature, has at most 64
SHA256 = re.compile(r"[0-9a-f]{64}")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# What decides which code a program loads is not a playbook's to say.
KEPT = re.compile(r"(LD_|DYLD_|FARMHAND_).*|PATH|HOME|LANG|IFS|ENV|BASH_ENV|PYTHONPATH|PYTHONHOME|PYTHONSTARTUP")

# There, names are the same in capitals, and a batch file would be read by a shell, with other rules for arguments.
KEPT_BY_WINDOWS = re.compile(r"SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|TEMP|TMP")
NO_FOLDERS = re.compile(r"con|prn|aux|nul|(com|lpt)\d")
RUNS_ON_WINDOWS = ".exe"


@dataclass(frozen=True, slots=True)
class Program:
    """``key``: the folder that it is unpacked to; ``member``: the program's path there."""

    url: str
    path: str
    sha256: str
    archive: str
    member: str
    key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One miner. ``digest``: the same for the same miner; ``port``: 0 when nobody is asked."""

    name: str
    told: Mapping[str, Any]
    program: Program
    digest: str
    port: int
    token: str = field(repr=False)
    grace_s: float

    @property
    def device(self) -> str:
        return f"miner-{self.name}"

    @property
    def watchdog(self) -> Sequence[Watch]:
        return self.told.get("watchdog", ())

    @property
    def argv(self) -> list[str]:
        return list(self.told["args"])


class Refused(Exception):
    """A miner cannot be as the document says: which, and why."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"miner {name}: {problem}")
        self.name, self.problem = name, problem


Catalog = Mapping[str, Any]
"""software -> release -> platform -> PROGRAM of schema/playbooks.py"""


def digest_of(told: Any) -> str:
    """The same for the same data."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def plans(told: Sequence[Mapping[str, Any]], platform: str, cpus: set[int], catalog: Catalog | None) -> list[Plan]:
    """``told``: MINER records, checked against their declaration; ``cpus``: processors of this host; ``catalog``: what
    its owner allows, None: whatever the farm says. Refused names the first miner that cannot be."""
    found: list[Plan] = []
    ports: dict[int, str] = {}
    for each in told:
        try:
            if any(each["name"] == other.name for other in found):
                raise Invalid("name", "is there twice")
            if len(found) == MOST_MINERS:
                raise Invalid("name", f"a host runs at most {MOST_MINERS} miners")
            plan = _plan(each, platform, cpus, catalog)
            if plan.port and plan.port in ports:
                raise Invalid("api.port", f"{plan.port} is also that of {ports[plan.port]}")
            ports[plan.port] = plan.name
        except Invalid as error:
            raise Refused(each["name"], str(error)) from None
        found.append(plan)
    return found


def _plan(told: Mapping[str, Any], platform: str, cpus: set[int], catalog: Catalog | None) -> Plan:
    if len(told["name"]) > LONGEST_NAME:
        raise Invalid("name", f"must have at most {LONGEST_NAME} characters")
    if _is_windows(platform) and NO_FOLDERS.fullmatch(told["name"]):
        raise Invalid("name", "is one that Windows keeps for itself")
    for name in told.get("env", {}):
        if not NAME.fullmatch(name) or _is_kept(name, platform):
            raise Invalid(f"env.{name[:64]}", "must be a plain name, and none of LD_*, PATH, HOME, LANG and the like")
    check_schedule(told.get("schedule", []))
    watched = told.get("watchdog", [])
    for watch in watched:
        check_watch(watch)
    if missing := sorted(set(told.get("cpus", ())) - cpus):
        raise Invalid("cpus", f"this host has no processor {missing[0]}")
    api = told.get("api", {})
    port = 0
    if told["adapter"] != "none":
        try:
            port = api.get("port", 0) or miners.adapter(told["adapter"]).port
        except KeyError:
            allowed = ", ".join(miners.names())
            raise Invalid("adapter", f"{told['adapter']!r} is unknown here; allowed: none, {allowed}") from None
    program = _program(told, platform, catalog)
    return Plan(
        told["name"], told, program, digest_of(told), port, api.get("token", ""), told.get("grace_s", GRACE_S)
    )  # fmt: skip


def _program(told: Mapping[str, Any], platform: str, catalog: Catalog | None) -> Program:
    programs: Mapping[str, Any] = told["programs"]
    if catalog is not None:
        programs = catalog.get(told["software"], {}).get(told["release"], {})
        if not programs:
            raise Invalid("software", f"{told['software']} {told['release']} is not in catalog.toml of this host")
    if platform not in programs:
        there = ", ".join(sorted(programs)) or "none"
        raise Invalid("programs", f"nothing for {platform}; there is: {there}")
    given = programs[platform]
    url: str = given.get("url", "")
    path: str = given.get("path", "")
    member: str = given.get("member", "")
    archive: str = given["archive"]
    if bool(url) == bool(path):
        raise Invalid("programs.url", "either this or `path` must be given")
    if url and not _is_web(url):
        raise Invalid("programs.url", f"must be http:// or https://, not {url[:100]!r}")
    if path and not Path(path).is_absolute():
        raise Invalid("programs.path", f"must be a whole path, not {path[:100]!r}")
    if not SHA256.fullmatch(given["sha256"]):
        raise Invalid("programs.sha256", "must be 64 digits from 0 to f")
    if archive == "none":
        member = member or told["software"] + (RUNS_ON_WINDOWS if _is_windows(platform) else "")
    elif not member:
        raise Invalid("programs.member", "must be given: the program's path in the archive")
    check_member(member)
    runs = path if path and archive == "none" else member
    if _is_windows(platform) and not runs.lower().endswith(RUNS_ON_WINDOWS):
        raise Invalid("programs.path" if runs == path else "programs.member", f"must end in {RUNS_ON_WINDOWS} there")
    release = re.sub(r"[^A-Za-z0-9._-]", "_", told["release"])
    key = f"{told['software']}-{release}-{given['sha256'][:8]}"
    return Program(url, path, given["sha256"], archive, member, key)


def _is_windows(platform: str) -> bool:
    return platform.startswith("windows-")


def _is_kept(name: str, platform: str) -> bool:
    if _is_windows(platform):
        return bool(KEPT.fullmatch(name.upper()) or KEPT_BY_WINDOWS.fullmatch(name.upper()))
    return bool(KEPT.fullmatch(name))


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
