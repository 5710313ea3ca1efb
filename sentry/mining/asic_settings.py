"""The ASIC sentry's numbers, each with its unit; FARMHAND_ASIC_<NAME> in the environment sets one."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from sentry.mining.settings import Seconds


class AsicSettings(BaseSettings):
    """Of a sentry of kind `asic`."""

    model_config = SettingsConfigDict(env_prefix="FARMHAND_ASIC_", extra="ignore", frozen=True)

    poll_s: Seconds = 10
    """between two looks at an ASIC whose record says nothing"""
    answer_s: Seconds = 5
    """longest time for one answer, from the connection to its last byte"""
    at_once: int = Field(default=64, ge=1, le=1000)
    """how many are asked at the same time at most"""
    seldom_s: Seconds = 60
    """between two looks at what changes slowly (model, notes), and the longest pause of one that does not answer"""
    report_s: Seconds = 10
    """between two reports on the document"""
    scan_per_s: int = Field(default=100, ge=1, le=2000)
    """new connections a second of a scan"""
    scan_answer_s: Seconds = 2
    """how long an address may take to answer a scan"""
