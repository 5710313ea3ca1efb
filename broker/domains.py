"""Farm -> routes: which topics cross which link, in which direction. Pure.

Links form a directed graph. Every topic that leaves its broker follows one shortest path (or, for
the leader topic, one tree), so it crosses each link at most once and no loop can form:

- up: from each domain to home; down: from home to each domain;
- across: `xdata` from its domain to the one domain that the topic names.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from broker.errors import BadFarmFile
from broker.farmfile import Commander, Domain, Farm, Link, load
from schema.messages import MESSAGES

__all__ = [
    "BadFarmFile", "Commander", "Domain", "Farm", "Hop", "Link", "Problem", "Routes",
    "load", "path_links", "problems", "routes",
]  # fmt: skip


OF_A_DEVICE = "{domain}/{node}/{device}/"


def channels(*ways: str) -> tuple[str, ...]:
    """What follows <root>/<domain>/<node>/<device>/ in the topics of these ways, as filters.

    No two of them match the same topic: a bridge would carry it twice.
    """
    topics = [each.topic for each in MESSAGES.values() if each.way in ways and each.topic.startswith(OF_A_DEVICE)]
    found = dict.fromkeys(re.sub(r"\{\w+\}", "+", topic.removeprefix(OF_A_DEVICE)) for topic in topics)
    return tuple(rest for rest in found if "+" in rest or f"{rest.split('/')[0]}/+" not in found)


UP = channels("up")
DOWN = channels("down")


@dataclass(frozen=True, order=True)
class Hop:
    """One direction of one link."""

    link: str
    source: str
    target: str


Path = tuple[Hop, ...]


@dataclass(frozen=True)
class Routes:
    """``up`` and ``down`` by domain, ``across`` by (from, to); a missing key: no way.

    ``filters``: for every hop that carries something, the topic filters that cross it.
    """

    up: Mapping[str, Path]
    down: Mapping[str, Path]
    across: Mapping[tuple[str, str], Path]
    filters: Mapping[Hop, tuple[str, ...]]


@dataclass(frozen=True)
class Problem:
    """``severity`` "error": a domain cannot take part at all; "warning": it can, with limits."""

    severity: Literal["error", "warning"]
    domain: str
    text: str


def routes(farm: Farm) -> Routes:
    """All paths of the farm and the filters of each hop; the same farm gives the same routes."""
    hops = [hop for link in farm.links for hop in hops_of(link)]
    down = _shortest(hops, farm.home)
    # Backwards from home, so that the paths of all domains share one tree towards it.
    backwards = _shortest([Hop(h.link, h.target, h.source) for h in hops], farm.home)
    up = {domain: tuple(Hop(h.link, h.target, h.source) for h in reversed(path)) for domain, path in backwards.items()}
    across = {
        (start, end): path for start in farm.domains for end, path in _shortest(hops, start).items() if start != end
    }
    crossing: dict[Hop, list[str]] = {}
    for path, topics in _journeys(farm, up, down, across):
        for hop in path:
            crossing.setdefault(hop, []).extend(topics)
    filters = {hop: tuple(dict.fromkeys(topics)) for hop, topics in crossing.items()}
    return Routes(up, down, across, filters)


def path_links(farm: Farm, domain: str) -> tuple[str, ...]:
    """Names of the links from ``domain`` to home, in that order; empty where there is no way."""
    return tuple(hop.link for hop in routes(farm).up.get(domain, ()))


def problems(farm: Farm) -> tuple[Problem, ...]:
    """What the links do not allow, and what leaves a host unprotected; domain by domain."""
    ways = routes(farm)
    found: list[Problem] = []
    for name, domain in farm.domains.items():
        if name not in ways.up and name not in ways.down:
            text = f"no link leads to or from home ({farm.home})"
            found.append(Problem("error", name, text))
        elif name not in ways.down:
            text = "no way back: documents, commands and marks never arrive, enrolment cannot work"
            found.append(Problem("warning", name, text))
        elif name not in ways.up:
            text = "no way home: the commander never hears from its nodes"
            found.append(Problem("warning", name, text))
        if not domain.loopback and not domain.tls:
            text = f"{domain.host}:{domain.port} leaves the host without TLS; set tls = true"
            found.append(Problem("warning", name, text))
    return tuple(found)


def hops_of(link: Link) -> tuple[Hop, ...]:
    """The directions in which messages may cross ``link``."""
    there, back = Hop(link.name, link.a, link.b), Hop(link.name, link.b, link.a)
    return (there,) if link.flow == "a-to-b" else (there, back)


def bridge_topic(root: str, link: str) -> str:
    """Where Mosquitto keeps the retained `1` or `0` of a bridge."""
    return f"{root}/_/bridge/{link}"


def _journeys(
    farm: Farm,
    up: Mapping[str, Path],
    down: Mapping[str, Path],
    across: Mapping[tuple[str, str], Path],
) -> Iterable[tuple[Path, list[str]]]:
    root = farm.root
    for domain, path in up.items():
        own = [f"{root}/{domain}/+/+/{rest}" for rest in UP]
        yield path, [*own, f"{root}/_/enrol/{domain}/+/req"]
    for domain, path in down.items():
        own = [f"{root}/{domain}/+/+/{rest}" for rest in DOWN]
        yield path, [*own, f"{root}/_/enrol/{domain}/+/res", f"{root}/_/leader"]
    for (start, end), path in across.items():
        yield path, [f"{root}/{start}/+/+/xdata/{end}/+"]
    for link in farm.links:
        # Both ends hold the notification. Only the end nearer to home passes it on: its path
        # cannot use the link itself, so the news of a cut does not have to cross the cut.
        ends = [end for end in (link.a, link.b) if end in up]
        if ends:
            nearer = min(ends, key=lambda end: (len(up[end]), end))
            yield up[nearer], [bridge_topic(root, link.name)]


def _shortest(hops: Iterable[Hop], start: str) -> dict[str, Path]:
    """Fewest hops from ``start`` to everything it reaches; ties go to the first name."""
    leaving: dict[str, list[Hop]] = {}
    for hop in sorted(hops, key=lambda hop: (hop.target, hop.link)):
        leaving.setdefault(hop.source, []).append(hop)
    found: dict[str, Path] = {start: ()}
    frontier = [start]
    while frontier:
        reached: list[str] = []
        for here in frontier:
            for hop in leaving.get(here, []):
                if hop.target not in found:
                    found[hop.target] = (*found[here], hop)
                    reached.append(hop.target)
        frontier = reached
    return found
