"""The sentry's numbers, each with its unit; FARMHAND_SENTRY_<NAME> in the environment sets one."""

from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sentry.errors import SentryError

Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FARMHAND_SENTRY_", extra="ignore", frozen=True)

    interval_s: Seconds = 10
    """between two measurements of the host; the desired document `settings` overrides it"""
    heartbeat_s: Seconds = 5
    """between two signs of life; the desired document `settings` overrides it"""
    queue_rows: int = Field(default=100_000, ge=100)
    """events kept while nobody stores them; then the oldest are given up"""
    queue_bytes: int = Field(default=64 * 1024 * 1024, ge=64 * 1024)
    """the same limit, in bytes of payload"""
    window_least: int = Field(default=50, ge=1)
    window_most: int = Field(default=2000, le=20_000)
    """events under way at once, between these two"""
    still_s: Seconds = 5
    """a mark that stands still for so long makes the sentry send again"""
    still_most_s: Seconds = 60
    """longest pause between two such repetitions"""
    retry_s: Seconds = 1
    retry_most_s: Seconds = 60
    """first and longest pause before the next connection; half to all of it, by chance"""
    keepalive_s: int = Field(default=20, ge=1, le=3600)
    tick_s: Seconds = 0.05
    """between two looks while the broker has not taken all that it may be given, or the disk is full"""
    look_s: Seconds = 0.25
    """between two looks for events that other programs put into the outbox"""
    hears_marks: bool = True
    """false in a domain without a way back: the outbox then keeps only the newest events"""
    history: bool = False
    """keep a record of every event ever put into the outbox (tests compare it with the database)"""


def load() -> Settings:
    """Settings from the environment; SentryError names the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        problem = f"FARMHAND_SENTRY_{name}: {first['msg']} (it is {first['input']!r})"
        raise SentryError(problem) from None
