"""The mining software that playbooks may name. What is shipped is in catalog/, one file each, found by listing the
folder; the owner adds releases (which file, with which SHA-256), and software of their own. Pure but for that folder,
which is read once.
"""

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any, cast

from commander.effects import Farm, Put, Refused, Row, refuse_unless
from commander.mining.records import refuse_unless_template, refuse_unlike
from schema.message import Message, is_id
from schema.playbooks import ADAPTERS, PROGRAM

MINES = ("cpu", "gpu")
MOST_ARGUMENTS = 256
PLATFORM = re.compile(r"(linux|windows|macos)-[a-z0-9_]{2,16}")
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEMBER = re.compile(r"[^/\\\x00][^\\\x00]*")

SOFTWARE = Message(
    "software", "", "down", 1, False, "object",
    (
        ("title", "text 64", "", "name for people"),
        ("licence", "text 64", "", "SPDX name, or `proprietary`"),
        ("homepage", "text 256", "", "where it comes from"),
        ("platforms", "list text 64", "", "linux-x86_64, ..."),
        ("mines", "list word " + " ".join(MINES), "", "with what"),
        ("adapter", "word " + " ".join(ADAPTERS), "", "how to ask it"),
        ("api_port", "int 0..65535", "", "where it answers unless a playbook says otherwise; 0: it does not"),
        ("arguments", "list json", "", "template of its arguments"),
    ),
)  # fmt: skip


@cache
def shipped() -> dict[str, Row]:
    """name -> what the project knows of it. No releases: their checksums could not be verified here."""
    folder = resources.files("commander.mining") / "catalog"
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    return {file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8")) for file in files}


def known(farm: Farm, name: str) -> Row | None:
    """A software's record, shipped or the owner's."""
    row = farm["software"].get(name)
    return row["data"] if row else shipped().get(name)


def catalog(farm: Farm) -> list[Row]:
    """Every software with its releases, by name."""
    return [shown(farm, name) for name in sorted({*shipped(), *farm["software"]})]


def shown(farm: Farm, name: str, status: int = 404) -> Row:
    """One software as the API gives it; Refused with `status` when there is none of the name."""
    found = known(farm, name)
    if found is None:
        names = ", ".join(sorted({*shipped(), *list(farm["software"])}))
        raise Refused("software", f"{name[:64]} is unknown; known: {names}", status)
    row = farm["software"].get(name)
    about = {"shipped": row is None, "version": row["version"] if row else 0, "by": row["by"] if row else ""}
    return {"name": name, **found, **about, "releases": [_shown_release(farm, r) for r in releases(farm, name)]}


def releases(farm: Farm, name: str, release: str | None = None) -> list[Row]:
    """Rows of the releases of a software, or of one of them on all its platforms."""
    rows = [
        row
        for row in list(farm["software_release"].values())
        if row["software"] == name and release in (None, row["release"])
    ]
    return sorted(rows, key=lambda row: (row["release"], row["platform"]))


def checked(name: str, data: Any) -> Row:
    """The owner's software in its full form."""
    refuse_unless(is_id, "name", name)
    if name in shipped():
        raise Refused("name", f"{name} is shipped and cannot be changed; choose another name", 409)
    data = _with_defaults(
        {"title": name, "licence": "", "homepage": "", "platforms": [], "api_port": 0, "arguments": []}, data
    )
    refuse_unlike(SOFTWARE, data)
    if not data["mines"]:
        raise Refused("mines", f"must be at least one of: {', '.join(MINES)}")
    for platform in data["platforms"]:
        _refuse_platform("platforms", platform)
    refuse_arguments("arguments", data["arguments"])
    return data


def removed(farm: Farm, name: str) -> Put:
    if name in shipped():
        raise Refused("name", f"{name} is shipped and cannot be removed", 409)
    if name not in farm["software"]:
        raise Refused("name", f"there is no software {name[:64]}", 404)
    _refuse_used(farm, name, None)
    if releases(farm, name):
        raise Refused("name", f"{name} has releases: remove them first", 409)
    return Put("software", name, None)


def checked_release(farm: Farm, name: str, release: str, platform: str, data: Any) -> Row:
    """A release in its full form: what schema/playbooks.py calls a program."""
    licence = shown(farm, name)["licence"]
    if not _RELEASE.fullmatch(release):
        raise Refused("release", "must be letters, digits and . _ + -, for example 6.22.2")
    _refuse_platform("platform", platform)
    data = _with_defaults({"archive": "none", "licence": licence}, data)
    refuse_unlike(PROGRAM, data)
    found = {field: value for field, value in data.items() if value != ""}
    if ("url" in found) == ("path" in found):
        raise Refused("url", "give either `url` or `path`")
    if "url" in found and not found["url"].startswith(("http://", "https://")):
        raise Refused("url", "must begin with https:// or http://")
    found["sha256"] = found["sha256"].lower() if "sha256" in found else ""
    if not _SHA256.fullmatch(found["sha256"]):
        raise Refused("sha256", "must be 64 hexadecimal digits: the SHA-256 of the file")
    member = found.get("member", "")
    if (found["archive"] != "none") != bool(member):
        raise Refused("member", "must name the program in the archive; without an archive, leave it out")
    if member and (not _MEMBER.fullmatch(member) or ".." in member.split("/")):
        raise Refused("member", "must be a path inside of the archive, without .. and not absolute")
    return found


def removed_release(farm: Farm, name: str, release: str, platform: str) -> Put:
    key = (name, release, platform)
    if key not in farm["software_release"]:
        raise Refused("release", f"there is no release {release[:64]} of {name[:64]} for {platform[:64]}", 404)
    _refuse_used(farm, name, release)
    return Put("software_release", key, None)


def refuse_arguments(field: str, arguments: Any) -> None:
    """Refused unless it is a list of texts, and of lists of texts (repeated for each URL of the pool)."""
    if len(arguments) > MOST_ARGUMENTS:
        raise Refused(field, f"must be at most {MOST_ARGUMENTS}")
    for number, argument in enumerate(arguments):
        for text in argument if isinstance(argument, list) else [argument]:  # pyright: ignore[reportUnknownVariableType]
            if not isinstance(text, str):
                raise Refused(f"{field}[{number}]", "must be text, or a list of texts that is repeated for each URL")
            refuse_unless_template(f"{field}[{number}]", text)


def users_of(farm: Farm, name: str, release: str | None) -> list[str]:
    """Names of the playbooks that use a software, or one release of it."""
    used = [row for row in list(farm["playbook"].values()) if row["data"]["software"] == name]
    return sorted(row["name"] for row in used if release in (None, row["data"]["release"]))


def _with_defaults(defaults: Row, data: Any) -> Any:
    return {**defaults, **cast("Row", data)} if isinstance(data, dict) else data


def _refuse_used(farm: Farm, name: str, release: str | None) -> None:
    users = users_of(farm, name, release)
    if users:
        raise Refused("name", f"{name} {release or ''} is used by playbook {', '.join(users)}".replace("  ", " "), 409)


def _shown_release(farm: Farm, row: Row) -> Row:
    about = {name: row[name] for name in ("release", "platform", "version", "updated", "by")}
    return {**about, **row["data"], "used_by": users_of(farm, row["software"], row["release"])}


def _refuse_platform(field: str, platform: str) -> None:
    if not PLATFORM.fullmatch(platform):
        raise Refused(field, f"{platform[:40]!r} must be system-machine, for example linux-x86_64")
