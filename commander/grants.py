"""farmhand node grants"""

import json
from typing import Annotated

import typer

from commander.api import Api
from commander.options import HERE, ApiKey, AsJson, Node, State, Url


def grants(
    node: Node,
    pool_gateway_of: Annotated[
        list[str] | None,
        typer.Option("--pool-gateway-of", help="a node whose devices get their jobs from this one; repeatable"),
    ] = None,
    grant: Annotated[
        list[str] | None, typer.Option("--grant", help="`read|write|readwrite FILTER`; repeatable")
    ] = None,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Set what a node may at its broker beyond the rights of every node; without options, nothing."""
    wish = {"grants": grant or [], "pool_gateway_of": pool_gateway_of or []}
    answer = Api(state, url, key).put(f"/nodes/{node}/grants", wish)
    if as_json:
        print(json.dumps(answer))
        return
    print("\n".join(answer["grants"]) or f"{node} has no further rights")
