"""Options that commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

State = Annotated[Path, typer.Option("--state", envvar="FARMHAND_STATE", help="folder of the farm")]
Url = Annotated[str, typer.Option("--url", help="address of the commander; default: the farm's own")]
ApiKey = Annotated[str, typer.Option("--key", help="API key; default: the local admin's")]
AsJson = Annotated[bool, typer.Option("--json", help="machine-readable output")]
Node = Annotated[str, typer.Argument(help="id of the node")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="most rows")]
LimitUnlessWhole = Annotated[
    int | None, typer.Option("--limit", min=1, help="most rows; 100 unless all of something is asked for")
]
Canary = Annotated[str, typer.Option("--canary", help="a group that gets it first; the others wait")]
HERE = Path(".farm")


class NodeFirst(TyperGroup):
    """Of the commands on a node the menu may stand behind it: `farmhand node shed menu`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        if args[1:2] == ["menu"] and args[0] not in self.commands:
            args[:2] = ["menu", args[0]]
        return super().resolve_command(ctx, args)
