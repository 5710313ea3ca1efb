"""farmhand asic"""

import typer

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def asic_list() -> None:
    """x"""
@app.command("show")
def asic_show() -> None:
    """x"""
