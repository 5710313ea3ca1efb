"""farm.toml -> Farm. Pure: text in, frozen values out, or `BadFarmFile` naming line and remedy."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from broker.errors import BadFarmFile

Flow = Literal["both", "a-to-b"]
Table = dict[str, object]

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
ID_RULE = "an id is 1 to 63 of a-z 0-9 _ - and starts with a letter or digit"
HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}")
OPTION = re.compile(r"[a-z][a-z0-9_]*")
# One level of a topic: other brokers drop a client at a space, a dot or a $.
ROOT = re.compile(r"[A-Za-z0-9_-]{1,63}")


@dataclass(frozen=True)
class Domain:
    """One network with one broker. ``host`` and ``port``: where the other domains reach it.

    ``mosquitto``: raw options over those of broker/mosquitto.py, for who knows what they do.
    """

    name: str
    host: str = "127.0.0.1"
    port: int = 1883
    tls: bool = False
    home: bool = False
    mosquitto: Mapping[str, str | int | bool] = field(default_factory=dict[str, str | int | bool])

    @property
    def loopback(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


@dataclass(frozen=True)
class Link:
    """A bridge between the brokers of ``a`` and ``b``; ``dials`` opens the connection."""

    name: str
    a: str
    b: str
    dials: str
    flow: Flow = "both"

    @property
    def answers(self) -> str:
        return self.b if self.dials == self.a else self.a


@dataclass(frozen=True)
class Commander:
    """``http``: host:port it serves. ``database``: "sqlite" or an SQLAlchemy URL."""

    http: str = "127.0.0.1:8080"
    database: str = "sqlite"


@dataclass(frozen=True)
class Farm:
    """A whole installation; ``home`` is the name of the commander's domain."""

    root: str
    domains: Mapping[str, Domain]
    links: tuple[Link, ...]
    home: str
    commander: Commander


def load(text: str, path: str = "farm.toml") -> Farm:
    """The farm that ``text`` describes.

    Raises `BadFarmFile` with the line of the first mistake; ``path`` is only for its message.
    """
    try:
        document: Table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        at = int(line[1]) if line else text.count("\n") + 1
        raise BadFarmFile(path, at, f"not TOML: {error}") from None
    return _Reader(text, path).farm(document)


class _Reader:
    """Checks one document; knows the text only to say on which line a mistake is."""

    def __init__(self, text: str, path: str) -> None:
        self.text, self.path = text, path

    def wrong(self, where: tuple[str | int, ...], reason: str) -> BadFarmFile:
        return BadFarmFile(self.path, line_of(self.text, where), reason)

    def farm(self, document: Table) -> Farm:
        self.known((), document, "root", "domains", "links", "commander")
        root = self.string(("root",), document, "farm", ROOT, "one topic level of A-Z a-z 0-9 _ -")
        domains = self.domains(document.get("domains"))
        homes = [domain.name for domain in domains.values() if domain.home]
        if not homes:
            raise self.wrong(("domains",), "no domain has home = true; exactly one must have it")
        if len(homes) > 1:
            where = ("domains", homes[1], "home")
            raise self.wrong(where, f"home = true in {homes[0]} and {homes[1]}; only one may have it")
        links = self.links(document.get("links", []), domains)
        commander = self.commander(document.get("commander", {}))
        return Farm(root, domains, links, homes[0], commander)

    def domains(self, tables: object) -> dict[str, Domain]:
        if not isinstance(tables, dict) or not tables:
            raise self.wrong(("domains",), "domains: needs at least one table [domains.<name>]")
        domains: dict[str, Domain] = {}
        taken: dict[tuple[str, int], str] = {}
        for name, value in cast(Table, tables).items():
            where = ("domains", name)
            if not ID.fullmatch(name):
                raise self.wrong(where, f"domain {name!r}: {ID_RULE}")
            table = self.table(where, value)
            self.known(where, table, "home", "host", "port", "tls", "mosquitto")
            domain = Domain(
                name,
                self.string((*where, "host"), table, "127.0.0.1", HOST, "a host name or address"),
                self.port((*where, "port"), table.get("port", 1883)),
                self.boolean((*where, "tls"), table),
                self.boolean((*where, "home"), table),
                self.options((*where, "mosquitto"), table.get("mosquitto", {})),
            )
            first = taken.setdefault((domain.host, domain.port), name)
            if first != name:
                address = f"{domain.host}:{domain.port}"
                raise self.wrong((*where, "port"), f"{address} is already the broker of {first}")
            domains[name] = domain
        return domains

    def links(self, tables: object, domains: Mapping[str, Domain]) -> tuple[Link, ...]:
        if not isinstance(tables, list):
            raise self.wrong(("links",), "links: must be tables written [[links]]")
        links: list[Link] = []
        for index, value in enumerate(cast(list[object], tables)):
            where = ("links", index)
            table = self.table(where, value)
            self.known(where, table, "a", "b", "dials", "flow", "name")
            link = self.link(where, table, domains)
            for other in links:
                if {other.a, other.b} == {link.a, link.b}:
                    reason = f"{link.a} and {link.b} are already linked by {other.name}"
                    raise self.wrong((*where, "b"), f"{reason}; one link carries both ways")
                if other.name == link.name:
                    raise self.wrong((*where, "name"), f"name: link {link.name} exists already")
            links.append(link)
        return tuple(links)

    def link(self, where: tuple[str | int, ...], table: Table, domains: Mapping[str, Domain]) -> Link:
        for end in ("a", "b"):
            if table.get(end) not in domains:
                allowed = ", ".join(domains)
                reason = f"{end} = {table.get(end)!r} is no domain; allowed: {allowed}"
                raise self.wrong((*where, end), reason)
        a, b = str(table["a"]), str(table["b"])
        if a == b:
            raise self.wrong((*where, "b"), f"a and b are both {a}; a link joins two domains")
        dials = self.choice((*where, "dials"), table, a, b)
        flow = cast(Flow, self.choice((*where, "flow"), table, "both", "a-to-b"))
        name = self.string((*where, "name"), table, f"{a}-{b}", ID, ID_RULE)
        return Link(name, a, b, dials, flow)

    def commander(self, value: object) -> Commander:
        table = self.table(("commander",), value)
        self.known(("commander",), table, "http", "database")
        address = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):\d{1,5}")
        http = self.string(("commander", "http"), table, Commander.http, address, "host:port")
        self.port(("commander", "http"), int(http.rpartition(":")[2]))
        anything = re.compile(r"sqlite|[a-z0-9+]+://\S+")
        rule = '"sqlite" or an SQLAlchemy URL'
        database = self.string(("commander", "database"), table, "sqlite", anything, rule)
        return Commander(http, database)

    def options(self, where: tuple[str | int, ...], value: object) -> dict[str, str | int | bool]:
        options: dict[str, str | int | bool] = {}
        for key, option in self.table(where, value).items():
            if not OPTION.fullmatch(key):
                raise self.wrong((*where, key), f"{key!r} is no Mosquitto option name")
            if not isinstance(option, str | int) or "\n" in str(option):
                raise self.wrong((*where, key), f"{key}: must be one line of text, an integer or a boolean")
            options[key] = option
        return options

    def known(self, where: tuple[str | int, ...], table: Table, *allowed: str) -> None:
        for key in table:
            if key not in allowed:
                reason = f"unknown key {key!r}; allowed: {', '.join(allowed)}"
                raise self.wrong((*where, key), reason)

    def table(self, where: tuple[str | int, ...], value: object) -> Table:
        if not isinstance(value, dict):
            raise self.wrong(where, f"{where[-1]}: must be a table")
        return cast(Table, value)

    def string(
        self,
        where: tuple[str | int, ...],
        table: Table,
        default: str,
        form: re.Pattern[str],
        rule: str,
    ) -> str:
        value = table.get(str(where[-1]), default)
        if not isinstance(value, str) or not form.fullmatch(value):
            raise self.wrong(where, f"{where[-1]} = {value!r}: must be {rule}")
        return value

    def boolean(self, where: tuple[str | int, ...], table: Table) -> bool:
        value = table.get(str(where[-1]), False)
        if not isinstance(value, bool):
            raise self.wrong(where, f"{where[-1]} = {value!r}: must be true or false")
        return value

    def choice(self, where: tuple[str | int, ...], table: Table, *allowed: str) -> str:
        value = table.get(str(where[-1]), allowed[0])
        if value not in allowed:
            raise self.wrong(where, f"{where[-1]} = {value!r}: must be {' or '.join(allowed)}")
        return str(value)

    def port(self, where: tuple[str | int, ...], value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
            raise self.wrong(where, f"{where[-1]} = {value!r}: a port is an integer from 1 to 65535")
        return value


_HEADER = re.compile(r"\s*\[(\[?)\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=")


def line_of(text: str, where: tuple[str | int, ...]) -> int:
    """The line (from 1) of the deepest part of ``where`` that ``text`` spells out, else 1.

    ``where`` is a path of keys; an integer is the index of a table of an array, from 0.
    """
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    best, best_line = 0, 1
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _keys(header[2])
            if header[1]:
                counts[header[2]] = counts.get(header[2], -1) + 1
                table = (*table, counts[header[2]])
            here = table
        elif key := _KEY.match(line):
            here = (*table, *_keys(key[1]))
        else:
            continue
        depth = 0
        while depth < min(len(here), len(where)) and here[depth] == where[depth]:
            depth += 1
        if depth > best:
            best, best_line = depth, number
    return best_line


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
