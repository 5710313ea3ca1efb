"""farmhand broker up | check | show | kit | install."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from broker.bootstrap import domain_dir, write_kit
from broker.domains import Farm, load, problems, routes
from broker.errors import BadKit
from broker.kit import install_kit
from broker.steward import run

app = typer.Typer(help="Brokers: one Mosquitto per domain, bridged.", no_args_is_help=True)

FarmFile = Annotated[Path, typer.Argument(help="the farm's description")]
State = Annotated[Path, typer.Option("--state", help="the farm's state directory")]
AsJson = Annotated[bool, typer.Option("--json", help="machine-readable output")]
DEFAULT_FARM = Path(".farm/farm.toml")
DEFAULT_STATE = Path(".farm")


@app.command()
def up(
    directory: Annotated[Path | None, typer.Argument(help="directory made by install")] = None,
    domain: Annotated[str | None, typer.Option(help="or: a domain of this farm")] = None,
    state: State = DEFAULT_STATE,
    as_json: AsJson = False,
) -> None:
    """Run a domain's broker with its steward, in the foreground, until SIGTERM or Ctrl-C."""
    if (directory is None) == (domain is None):
        raise typer.BadParameter("give either a directory or --domain")

    def say(line: str) -> None:
        print(json.dumps({"text": line}) if as_json else line, flush=True)

    run(directory or domain_dir(state, str(domain)), say)


@app.command()
def check(farm_file: FarmFile = DEFAULT_FARM, as_json: AsJson = False) -> None:
    """Say what cannot be reached; exit code 1 when a domain cannot take part at all."""
    farm = read_farm(farm_file)
    found = problems(farm)
    if as_json:
        print(json.dumps([asdict(problem) for problem in found]))
    else:
        for problem in found:
            print(f"{problem.severity}: {problem.domain}: {problem.text}")
        if not found:
            print(f"{len(farm.domains)} domains, {len(farm.links)} links: everything is reached")
    if any(problem.severity == "error" for problem in found):
        raise typer.Exit(1)


@app.command()
def show(farm_file: FarmFile = DEFAULT_FARM, as_json: AsJson = False) -> None:
    """Print domains, links and what crosses each link."""
    farm = read_farm(farm_file)
    ways = routes(farm)
    paths = {
        name: {
            "to_home": [hop.link for hop in ways.up[name]] if name in ways.up else None,
            "from_home": [hop.link for hop in ways.down[name]] if name in ways.down else None,
        }
        for name in farm.domains
    }
    if as_json:
        crossing = [{**asdict(hop), "filters": each} for hop, each in ways.filters.items()]
        print(json.dumps({**asdict(farm), "routes": paths, "crossing": crossing}))
        return
    domains = Table("domain", "broker", "TLS", "to home", "from home", title=f"farm {farm.root}")
    for domain in farm.domains.values():
        address = f"{domain.host}:{domain.port}"
        shown = [_path(domain.home, each) for each in paths[domain.name].values()]
        domains.add_row(domain.name, address, "yes" if domain.tls else "no", *shown)
    links = Table("link", "from", "to", "dials", "topic filters")
    for hop, filters in ways.filters.items():
        link = next(each for each in farm.links if each.name == hop.link)
        links.add_row(hop.link, hop.source, hop.target, link.dials, str(len(filters)))
    console = Console()
    console.print(domains)
    console.print(links)


@app.command()
def kit(
    domain: str,
    out: Annotated[Path | None, typer.Option(help="file to write")] = None,
    state: State = DEFAULT_STATE,
    as_json: AsJson = False,
) -> None:
    """Export what the broker of a remote domain starts from. The file holds secrets."""
    target = out or Path(f"{domain}.kit")
    write_kit(state, domain, target)
    if as_json:
        print(json.dumps({"kit": str(target), "domain": domain}))
        return
    print(f"{target}: carry it to {domain}, then: farmhand broker install {target} DIR")


@app.command()
def install(
    kit_file: Annotated[Path, typer.Argument(metavar="KIT")],
    directory: Path,
    as_json: AsJson = False,
) -> None:
    """Unpack a kit; a broker that already runs there takes it over."""
    try:
        content = kit_file.read_bytes()
    except OSError as error:
        raise BadKit(f"{kit_file}: cannot read: {error.strerror}") from None
    installed = install_kit(content, directory, str(kit_file))
    if as_json:
        print(json.dumps({"directory": str(directory), "domain": installed.domain}))
        return
    print(f"{directory}: ready for domain {installed.domain}: farmhand broker up {directory}")


def read_farm(path: Path) -> Farm:
    """The farm in the file ``path``; errors are `BrokerError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadKit(f"{path}: cannot read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadKit(f"{path}: must be UTF-8 text") from None
    return load(text, str(path))


def _path(home: bool, links: list[str] | None) -> str:
    if home:
        return "home"
    return "no way" if links is None else " > ".join(links)
