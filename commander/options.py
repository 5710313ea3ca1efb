"""Options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

State = Annotated[Path, typer.Option("--state", envvar="FARMHAND_STATE", help="folder of the farm")]
Url = Annotated[str, typer.Option("--url", help="address of the commander; default: the farm's own")]
ApiKey = Annotated[str, typer.Option("--key", help="API key; default: the local admin's")]
AsJson = Annotated[bool, typer.Option("--json", help="machine-readable output")]
Node = Annotated[str, typer.Argument(help="id of the node")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="most rows")]
HERE = Path(".farm")
