"""The pool gateway's numbers, each with its unit; FARMHAND_POOL_<NAME> in the environment sets one."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schema.message import Invalid, is_id
from sentry.errors import SentryError
from sentry.mining.duco_tiers import LADDER
from sentry.mining.duco_wire import is_field

Kind = TypeVar("Kind", bound=BaseSettings)
Seconds = Annotated[float, Field(gt=0, le=3600)]


def _parted(value: Any) -> Any:
    return tuple(each.strip() for each in value.split(",") if each.strip()) if isinstance(value, str) else value


def _node(text: str) -> str:
    levels = text.split("/")
    try:
        for level in levels:
            is_id("node", level)
    except Invalid as error:
        raise ValueError(f"{text!r}: {error.problem}") from None
    if len(levels) > 2:
        raise ValueError(f"{text!r} must be <node> or <domain>/<node>")
    return text


def _place(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} must be host:port")
    return text


def _tier(text: str) -> str:
    if text not in LADDER:
        raise ValueError(f"must be one of {', '.join(LADDER)}")
    return text


def _word(text: str) -> str:
    if not is_field(text):
        raise ValueError("must be printable ASCII without a comma")
    return text


def _secret(secret: SecretStr) -> SecretStr:
    _word(secret.get_secret_value())
    return secret


Parted = BeforeValidator(_parted)
Tier = Annotated[str, AfterValidator(_tier)]
Word = Annotated[str, AfterValidator(_word)]


class PoolSettings(BaseSettings):
    """The gateway runs when ``nodes`` names one."""

    model_config = SettingsConfigDict(env_prefix="FARMHAND_POOL_", extra="ignore", frozen=True)

    nodes: Annotated[tuple[Annotated[str, AfterValidator(_node)], ...], NoDecode, Parted] = ()
    """nodes whose `avr-...` devices mine, with commas between: `esp-1` of the gateway's domain, or `barn/esp-1`"""
    servers: Annotated[tuple[Annotated[str, AfterValidator(_place)], ...], NoDecode, Parted] = ("127.0.0.1:2811",)
    """pools as host:port, with commas between; the next one is tried when one fails"""
    finder: str = ""
    """URL that names the best pool (`https://server.duinocoin.com/getPool`); `servers` when it does not answer"""
    user: Word = "farmhand"
    """account at the pool"""
    key: Annotated[SecretStr, AfterValidator(_secret)] = SecretStr("")
    """mining key of the account, when it has one"""
    miner: Word = "farmhand 4.3"
    """name and version told to the pool, which compares the number with the oldest miner it accepts"""
    tier: Tier = "AVR"
    """difficulty tier to begin with"""
    tier_most: Tier = "DUE"
    """hardest tier to follow the pool to"""
    difficulty_most: int = Field(default=655, ge=1, le=4_294_967)
    """largest difficulty that the workers can search, unless the `limits` of their `info` say less"""
    connections: int = Field(default=1, ge=1, le=2)
    """per worker; with 2 a job is always in hand, and the pool sees two workers"""
    shares_per_minute: int = Field(default=75, ge=1, le=100_000)
    """most results of one connection, kept below what the pool allows"""
    join: bool = True
    """send a result and the request of the next job in one write; not to a pool that once took them for one message"""
    join_wait_s: Seconds = 3
    """how long the job that was asked for so may come after the verdict"""
    answer_s: Seconds = 10
    """how long a pool may take to answer"""
    job_s: Seconds = 90
    """how long a pool waits for the share of a job"""
    retry_s: Seconds = 1
    retry_most_s: Seconds = 60
    """first and longest pause before the next connection; half to all of it, by chance"""
    report_s: Seconds = 10
    """between two reports of the figures"""


def load(kind: type[Kind]) -> Kind:
    """Settings from the environment; SentryError names the variable that is wrong."""
    try:
        return kind()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"{kind.model_config.get('env_prefix')}{first['loc'][0]}".upper()
        raise SentryError(f"{name}: {first['msg']}") from None
