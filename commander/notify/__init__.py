"""Where alerts can be told: one file for each kind, found by listing this folder.

A file holds `Settings`, a pydantic model whose SECRETS name the fields that are shown to nobody, and
`send(settings, notice, mqtt)`, which raises NotSent when the other side did not take it.
"""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ValidationError

from commander.effects import Refused
from commander.fleet.notices import Notice

ANSWER_S = 10.0
Mqtt = Callable[[str, dict[str, Any]], None]
"""Publishes a notice as the output of that name."""


class NotSent(RuntimeError):
    """The other side did not take it; says why."""


class Output(BaseModel, extra="forbid"):
    """The settings of one kind of output."""

    SECRETS: ClassVar[tuple[str, ...]] = ()


class Kind(Protocol):
    Settings: type[Output]

    def send(self, settings: Any, notice: Notice, mqtt: Mqtt) -> None: ...


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def kind(name: str) -> Kind:
    """Refused when there is no such kind."""
    if name not in names():
        raise Refused("kind", "must be one of: " + ", ".join(names()))
    found: Any = importlib.import_module(f"{__name__}.{name}")
    return found


def settings(of: str, data: dict[str, Any]) -> Output:
    """The settings of an output of that kind. Refused names a wrong one."""
    try:
        return kind(of).Settings.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(each) for each in first["loc"])
        raise Refused(f"data.{field}" if field else "data", first["msg"].removeprefix("Value error, ")) from None


def shown(of: str, data: dict[str, Any]) -> dict[str, Any]:
    """The settings without their secrets."""
    secrets = kind(of).Settings.SECRETS
    return {name: "***" if name in secrets and value else value for name, value in data.items()}
