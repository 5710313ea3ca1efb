"""What the command line says of the boards that one wishes for."""

from typing import Annotated

import typer

Serials = Annotated[list[str] | None, typer.Option("--serial", help="just this board; repeatable")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="boards with this tag; repeatable: with all of them")]
Type = Annotated[str, typer.Option("--type", help="type of board, e.g. pico2-ice")]
Health = Annotated[str, typer.Option("--health", help="good, or shaky: it works, but failed lately")]
Firmware = Annotated[str, typer.Option("--firmware", help="boards whose sentry has it: NAME or NAME@VERSION")]
OnNode = Annotated[str, typer.Option("--node", help="boards of this sentry")]
Domain = Annotated[str, typer.Option("--domain", help="boards in this domain")]
PARTS = ("tag", "type", "health", "firmware", "node", "domain", "serial")
