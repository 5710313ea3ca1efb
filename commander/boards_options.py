"""What the command line says of the boards that one wishes for."""

import json
from typing import Annotated, Any, cast

import typer

from commander.api import ApiError
from commander.show import Item

Serials = Annotated[list[str] | None, typer.Option("--serial", help="just this board; repeatable")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="boards with this tag; repeatable: with all of them")]
Type = Annotated[str, typer.Option("--type", help="type of board, e.g. pico2-ice")]
Health = Annotated[str, typer.Option("--health", help="good, or shaky: it works, but failed lately")]
Firmware = Annotated[str, typer.Option("--firmware", help="boards whose sentry has it: NAME or NAME@VERSION")]
OnNode = Annotated[str, typer.Option("--node", help="boards of this sentry")]
Domain = Annotated[str, typer.Option("--domain", help="boards in this domain")]
PARTS = ("tag", "type", "health", "firmware", "node", "domain", "serial")


def gang_part(text: str) -> Item:
    """Of a gang: "1 variance tag=sma"."""
    count, kind, *words = [*text.split(), "", ""]
    pairs = [word.partition("=") for word in words if word]
    if not count.isdecimal() or not kind or not all(value and name in PARTS for name, _, value in pairs):
        allowed = ", ".join(f"{name}=VALUE" for name in PARTS)
        raise ApiError(f'together: {text!r} must be "COUNT KIND", and then as wanted: {allowed}')
    selector: Item = {name: value for name, _, value in pairs if name not in ("tag", "serial")}
    selector["tags"] = [value for name, _, value in pairs if name == "tag"]
    serials = [value for name, _, value in pairs if name == "serial"]
    return {"count": int(count), "kind": kind, "serials": serials, "selector": selector}


def json_object(text: str) -> Item:
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise ApiError(f"args: no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ApiError('args: must be a JSON object, e.g. {"flush": 10}')
    return cast("Item", found)
