"""The numbers of a sentry of kind `board`, each with its unit; FARMHAND_BOARD_<NAME> in the environment sets one, else
the TOML file that FARMHAND_BOARD_CONFIG names.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from sentry.errors import SentryError
from sentry.mining.settings import Parted, Seconds

PREFIX = "FARMHAND_BOARD_"
UF2, PROGRAM = ".uf2", ".py"
"""Firmware for the bootloader, and for a board on which MicroPython is installed."""


class BoardSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    usb: str = Field(default="udev", min_length=1)
    """`udev`, or a folder of virtual devices"""
    firmware: dict[str, Path] = Field(default_factory=dict[str, Path])
    """UF2 files or MicroPython programs by name; FARMHAND_BOARD_DEFAULT, FARMHAND_BOARD_PULSE_COUNT, ... name them"""
    model: str = Field(default="pico2-ice", min_length=1, max_length=64)
    """what the boards are, as clients ask for them"""
    tags: Annotated[tuple[str, ...], NoDecode, Parted] = ()
    """what clients may ask for, with commas between; of all boards of this host"""
    look_s: Seconds = 0.2
    """between two looks at the folder of virtual devices"""
    bootloader_s: Seconds = 10
    """how long the bootloader's disk may take to appear, or a REPL to answer"""
    restart_s: Seconds = 15
    """how long a board may take to come back with a new firmware"""
    test_s: Seconds = 30
    """how long the default firmware may take to say so"""
    prepare_s: Seconds = 10
    """how long the firmware of a lease may take to be ready for a bitstream"""
    result_s: Seconds = 10
    """how long a bitstream may take to give its result"""
    heal_s: Seconds = 5
    """pause before a broken board is flashed again; twice as long each further time"""
    failures: int = Field(default=3, ge=1, le=100)
    """failures in a row until quarantine"""
    well_s: Seconds = 600
    """a board that has worked for so long since it failed is good again; its next failure is the first in a row"""
    quarantine_s: Annotated[float, Field(gt=0, le=86_400)] = 600
    """between two tests of a board in quarantine"""
    hub: str = ""
    """USB hub that can switch its ports, as `uhubctl` names it: `1-1`; boards on it are power-cycled when broken"""
    uhubctl: str = "uhubctl"
    """that program"""
    report_s: Seconds = 1
    """between two reports"""
    cache_mib: int = Field(default=256, ge=1, le=65_536)
    """files of calls kept on disk, in MiB"""
    ask_again_s: Seconds = 4
    """between two requests for a block of a file; twice as long each further time"""
    fetch_s: Seconds = 120
    """how long a file may take without any progress"""
    waiting: int = Field(default=1024, ge=1, le=100_000)
    """bitstreams that may wait for one board"""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    def file_of(self, firmware: str) -> Path | None:
        """The firmware of that name, when one is set."""
        return self.firmware.get(firmware)


def load_boards(environ: Mapping[str, str] = os.environ) -> BoardSettings:
    """Settings from the environment and the file; SentryError names what is wrong."""
    file = environ.get(PREFIX + "CONFIG", "")
    found = _from_file(file) if file else {}
    names = {name.upper() for name in BoardSettings.model_fields} | {"CONFIG"}
    given: dict[str, Path] = {}
    for name, value in environ.items():
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in names:
            if not value.endswith((UF2, PROGRAM)):
                raise SentryError(f"{name}: no such setting; a firmware must be a file that ends in {UF2} or {PROGRAM}")
            given[name.removeprefix(PREFIX).lower()] = Path(value)
    try:
        settings = BoardSettings(**found)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        variable = f"{PREFIX}{first['loc'][0]}".upper()
        place = variable if variable in environ or first["loc"][0] not in found else f"{file}: {name}"
        raise SentryError(f"{place}: {first['msg']}") from None
    except SettingsError as error:
        raise SentryError(f"{PREFIX}FIRMWARE: must be an object in JSON: {error.__cause__}") from None
    firmware = {**settings.firmware, **given}
    for name, path in firmware.items():
        if path.suffix not in (UF2, PROGRAM):
            raise SentryError(f"{PREFIX}{name.upper()}: {path}: must be a file that ends in {UF2} or {PROGRAM}")
    if firmware and "default" not in firmware:
        raise SentryError(f"{PREFIX}DEFAULT: missing; it names the firmware by which boards are tested")
    if len({path.suffix == PROGRAM for path in firmware.values()}) > 1:
        raise SentryError(f"{PREFIX}DEFAULT: the firmware must be all {UF2} or all {PROGRAM}; no board takes both")
    return settings.model_copy(update={"firmware": firmware})


def _from_file(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise SentryError(f"{PREFIX}CONFIG: {path}: {error}") from None
