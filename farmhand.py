"""The one command: puts the commands of broker, commander and sentry together.

A part is imported only when one of its commands is asked for, so `farmhand --help` is quick and a
broken part leaves the others usable. An exception that carries `user_message` becomes one line on
stderr and exit code 1; with `--debug` before the command the trace is shown as well.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module, metadata, util
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.main import get_command

PACKAGES: Final = ("schema", "broker", "commander", "sentry", "esp_node")


@dataclass(frozen=True)
class Part:
    """One word after `farmhand`: `module` holds the typer app that answers it.

    A group is the whole app of its module (`farmhand broker up` is `up` of broker.cli); any other
    word is itself a command of that app (`farmhand status` is `status` of commander.cli). `others` are
    commands below the word that another package has, by the module of their app.
    """

    module: str
    summary: str
    is_group: bool = False
    others: Mapping[str, str] = field(default_factory=dict[str, str])


PARTS: Final = {
    "up": Part("commander.cli", "Start the whole farm of farm.toml on this machine."),
    "status": Part("commander.cli", "Show the farm as a table."),
    "watch": Part("commander.cli", "Follow what happens on the farm."),
    "node": Part(
        "commander.cli", "List, show, command, update, flash and delete nodes.", others={"flash": "esp_node.cli"}
    ),
    "rig": Part("commander.rig_cli", "List and show DUCO rigs.", is_group=True),
    "miner": Part("commander.miner_cli", "Pause, stop and start miners of a host, and read their logs.", is_group=True),
    "asic": Part(
        "commander.asic_cli",
        "Add, check, find, show and control ASICs; simulate some.",
        is_group=True,
        others={"simulate": "sentry.mining.asic_cli"},
    ),
    "mining": Part("commander.mining_cli", "Show what miners and ASICs do, and did.", is_group=True),
    "template": Part("commander.template_cli", "Coins, pools and addresses to mine for.", is_group=True),
    "software": Part("commander.software_cli", "Mining software and its releases.", is_group=True),
    "playbook": Part("commander.playbook_cli", "What shall be mined where.", is_group=True),
    "rollout": Part("commander.rollout_cli", "Follow, continue and cancel changes on their way.", is_group=True),
    "label": Part("commander.label_cli", "Groups and tags of nodes.", is_group=True),
    "boards": Part("commander.boards_cli", "Reserve FPGA boards, see who has which.", is_group=True),
    "token": Part("commander.cli", "Make, list and revoke enrolment tokens."),
    "key": Part("commander.cli", "Make, list and delete API keys."),
    "events": Part("commander.cli", "List what happened."),
    "alerts": Part("commander.cli", "List what stands in alert."),
    "notify": Part("commander.notify_cli", "Tell alerts by webhook, ntfy, e-mail or MQTT.", is_group=True),
    "logs": Part("commander.cli", "List log lines of nodes."),
    "audit": Part("commander.cli", "List who changed what."),
    "dead-letters": Part("commander.cli", "List refused messages and why."),
    "commander": Part("commander.cli", "Run the commander alone."),
    "broker": Part("broker.cli", "Run, check and show the brokers of farm.toml.", is_group=True),
    "sentry": Part("sentry.cli", "Enrol and run the agent of this host.", is_group=True),
    "pool": Part("sentry.mining.cli", "Run a Duino-Coin pool of one's own.", is_group=True),
}


class ForeignPackage(Exception):
    """One of our top-level names would import something that is not farmhand's."""

    def __init__(self, package: str, owner: str) -> None:
        self.user_message = (
            f"package {package!r} is {owner}, not farmhand's; "
            "install farmhand into an environment of its own (uv tool, container or venv)"
        )
        super().__init__(self.user_message)


owners = cache(metadata.packages_distributions)
"""package -> the distributions that have it; reads every installed one, so asked only when it must be."""


def check_packages(packages: Iterable[str], home: Path) -> None:
    """Raise ForeignPackage unless each name is a folder of `home` that no other distribution has.

    `schema` and `broker` are also names on the package index, and of two distributions with the
    same files pip keeps those that came last, without a word.
    """
    is_shared = any(home.glob("*.dist-info"))  # a checkout's folder belongs to nobody else
    for package in packages:
        spec = util.find_spec(package)
        is_ours = spec is not None and home / package in map(Path, spec.submodule_search_locations or ())
        if is_ours and not is_shared:
            continue
        strangers = set(owners().get(package, ())) - {"farmhand"}
        if strangers:
            raise ForeignPackage(package, f"installed by {', '.join(sorted(strangers))}")
        if spec is None:
            raise ForeignPackage(package, "missing")
        if not is_ours:
            raise ForeignPackage(package, f"at {spec.origin}")


def delegate(word: str, part: Part) -> Callable[[typer.Context], None]:
    """The command behind one word: imports the part's app and hands it the rest of the line."""

    def run(context: typer.Context) -> None:
        command_of(word, part)(args=context.args, prog_name=f"farmhand {word}")

    return run


def command_of(word: str, part: Part) -> Any:
    """The whole click command behind one word."""
    command: Any = get_command(import_module(part.module).app)
    if not part.is_group:
        command = command.commands[word]
    for name, module in part.others.items():
        command.add_command(get_command(import_module(module).app), name)
    return command


def print_version(wanted: bool) -> None:
    if wanted:
        print(f"farmhand {metadata.version('farmhand')}")
        raise typer.Exit


def build() -> typer.Typer:
    app = typer.Typer(name="farmhand", no_args_is_help=True, add_completion=False, rich_markup_mode=None)

    @app.callback()
    def options(  # pyright: ignore[reportUnusedFunction]
        debug: Annotated[bool, typer.Option("--debug", help="Show where an error arose.")] = False,
        version: Annotated[
            bool,
            typer.Option("--version", help="Print the version.", is_eager=True, callback=print_version),
        ] = False,
    ) -> None:
        """farmhand runs a farm of small machines over MQTT."""

    for word, part in PARTS.items():
        app.command(
            word,
            help=part.summary,
            add_help_option=False,
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )(delegate(word, part))
    return app


def main() -> None:
    arguments = sys.argv[1:]
    try:
        check_packages(PACKAGES, Path(__file__).resolve().parent)
        build()(args=arguments, prog_name="farmhand")
    except Exception as error:
        message = getattr(error, "user_message", None)
        if not isinstance(message, str):
            raise
        if arguments[:1] == ["--debug"]:
            traceback.print_exc()
        print(f"farmhand: {message}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
