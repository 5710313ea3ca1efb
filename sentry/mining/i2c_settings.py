"""The rig's numbers, each with its unit; FARMHAND_RIG_<NAME> in the environment sets one."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schema.i2c import FIRST_ADDRESS, LAST_ADDRESS
from sentry.host_os import system
from sentry.mining.settings import Seconds

BUS = re.compile(r"\d{1,4}|/dev/\S+|tcp://[^\s:/]+:\d{1,5}")
RANGE = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")


def _bus(text: str) -> str:
    if text and system.WINDOWS:
        raise ValueError("must be empty: the bus of a rig is one of Linux")
    if text and not BUS.fullmatch(text):
        raise ValueError(f"{text!r} must be a number (1), a device (/dev/i2c-1) or tcp://host:port")
    return text


def _addresses(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found: set[int] = set()
    for part in value.split(","):
        form = RANGE.fullmatch(part.strip())
        first, last = (int(form[1]), int(form[2] or form[1])) if form else (0, 0)
        if not FIRST_ADDRESS <= first <= last <= LAST_ADDRESS:
            allowed = f"addresses from {FIRST_ADDRESS} to {LAST_ADDRESS}, as 8,11-13"
            raise ValueError(f"{part.strip()!r} must be {allowed}")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


class RigSettings(BaseSettings):
    """This host is the master of a rig when ``bus`` names its wires."""

    model_config = SettingsConfigDict(env_prefix="FARMHAND_RIG_", extra="ignore", frozen=True)

    bus: Annotated[str, AfterValidator(_bus)] = ""
    """I2C bus: its number (`1`), its device (`/dev/i2c-1`), or `tcp://127.0.0.1:PORT` of simulated slaves"""
    pace: int = Field(default=0, ge=0, le=0xFFFF)
    """limit of each slave's hash rate in H/s; 0: none"""
    addresses: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_addresses)] = tuple(
        range(FIRST_ADDRESS, LAST_ADDRESS + 1)
    )
    """where slaves may be, as `8,11-13`: chips of another kind on the same bus are left alone"""
    report_s: Seconds = 10
    """between two reports of the figures"""
    retry_s: Seconds = 10
    """pause before a bus that could not be opened is tried again"""
