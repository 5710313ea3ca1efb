"""`farmhand node flash`: the options, and what a person sees. CPython only."""

from pathlib import Path
from typing import Annotated

import typer

from schema.errors import Invalid

app = typer.Typer(no_args_is_help=True, add_completion=False)


class _Refused(Exception):
    def __init__(self, error: Invalid):
        self.user_message = str(error)
        super().__init__(self.user_message)


@app.command()
def flash(
    port: Annotated[str, typer.Argument(help="serial port of the board, for example /dev/ttyUSB0 or COM3")],
    token: Annotated[str, typer.Option(help="from `farmhand token create DOMAIN esp`", envvar="FARMHAND_TOKEN")] = "",
    broker: Annotated[
        list[str] | None, typer.Option(help="HOST or HOST:PORT of the domain's broker; may be given again")
    ] = None,
    wifi: Annotated[list[str] | None, typer.Option(help="SSID:PASSWORD; may be given again")] = None,
    webrepl: Annotated[str, typer.Option(help="password of WebREPL, 4 to 9 characters; switches it on")] = "",
    ca: Annotated[Path | None, typer.Option(help="CA of the farm, PEM or DER: the node speaks TLS")] = None,
    node: Annotated[str, typer.Option(help="id of the node, unless the token names it")] = "",
    root: Annotated[str, typer.Option(help="first level of the farm's topics, unless it is `farm`")] = "",
    sensors: Annotated[str, typer.Option(help="sensors and their options: JSON, or a file of it")] = "",
    config: Annotated[Path | None, typer.Option(help="a config.json to start from; other options go before it")] = None,
    keep_config: Annotated[bool, typer.Option("--keep-config", help="renew the software alone")] = False,
    merge_boot: Annotated[
        bool, typer.Option(help="add our part to a boot.py of your own, or leave that as it is")
    ] = True,
    umqtt: Annotated[
        Path, typer.Option(envvar="FARMHAND_UMQTT", help="folder with umqtt/simple.py, for a board that has none")
    ] = Path(".local/micropython"),
    firmware: Annotated[
        Path | None, typer.Option(help="folder that `make firmware` made; default: it is made now")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, help="seconds to wait for the node to connect; 0: no reset")] = 60,
) -> None:
    """Put the node on a board with MicroPython and join it to the farm."""
    from esp_node.flash import flash as run
    from esp_node.flash_config import Wish

    wish = Wish(
        token, tuple(broker or ()), tuple(wifi or ()), node, root, sensors, ca, config, webrepl, keep_config
    )  # fmt: skip
    try:
        run(port, wish, print, merge_boot, umqtt, firmware, wait)
    except Invalid as error:
        raise _Refused(error) from error
