"""Settings of the commander process: environment FARMHAND_..., else what farm.toml and the state folder say."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class BadSetting(ValueError):
    def __init__(self, problem: str) -> None:
        self.user_message = problem
        super().__init__(problem)


class Settings(BaseSettings):
    """One class, one prefix. Durations end in _s or _days, sizes in _rows."""

    model_config = SettingsConfigDict(env_prefix="FARMHAND_", extra="ignore")

    state: Path = Field(default=Path(".farm"), description="folder of the farm: farm.toml, commander/, broker/, ...")
    database: str = Field(default="", description="SQLAlchemy URL; empty: what farm.toml says")
    http: str = Field(default="", description="host:port of the API; empty: what farm.toml says")
    batch_rows: int = Field(default=2000, ge=1, description="most messages in one transaction")
    batch_wait_s: float = Field(default=0.01, ge=0, description="how long a transaction waits for more messages")
    marks_every_s: float = Field(
        default=1.0, ge=0.1, description="shortest time between two `stored` messages of a node"
    )
    keep_raw_days: float = Field(default=7, gt=0, description="raw telemetry")
    keep_minutes_days: float = Field(default=90, gt=0, description="minute figures")
    keep_hours_days: float = Field(default=1095, gt=0, description="hour figures")
    keep_events_days: float = Field(default=365, gt=0, description="events and audit")
    keep_logs_days: float = Field(default=14, gt=0, description="log lines and dead letters")
    keep_blobs_days: float = Field(default=30, gt=0, description="files that nobody needs and nobody asked for")
    blob_max_mib: float = Field(default=16, gt=0, description="largest file for nodes, in MiB")
    blob_mib_s: float = Field(default=4, gt=0, description="what is sent to nodes of files, all together, in MiB/s")
    notify_pause_s: float = Field(default=10, ge=0, description="shortest time between two notifications of one output")
    board_lease_max_s: int = Field(
        default=86_400, ge=1, description="longest time that boards are given, extended or not"
    )
    board_idle_s: int = Field(default=0, ge=0, description="leases end after this time without use; 0: they do not")
    icefarm: str = Field(default="", description="host:port for iCEFARM clients; empty: off")
    icefarm_user: str = Field(default="icefarm", min_length=1, max_length=64, description="whose their leases are")
    icefarm_keys: bool = Field(default=False, description="they need an API key: http://any:KEY@host:port")
    housekeeping_s: float = Field(default=60, gt=0, description="time between two runs of down-sampling and retention")


def load(**given: Any) -> Settings:
    """What is given, else the environment's; BadSetting names the variable that is wrong."""
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = f"FARMHAND_{first['loc'][0]}".upper()
        raise BadSetting(f"{name}: {first['msg']} (it is {first['input']!r})") from None
