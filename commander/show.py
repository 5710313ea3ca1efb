"""How the command line shows answers of the API: rich tables and lines. Everything a node sent is escaped."""

import json
import logging
import time
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Item = dict[str, Any]

console = Console()
COLOURS = {
    "ready": "green", "init": "cyan", "sleeping": "blue", "disconnected": "yellow", "lost": "red",
    "unreachable": "red", "unheard": "yellow", "new": "dim",
    "info": "cyan", "warning": "yellow", "error": "red", "critical": "bold red",
    "running": "cyan", "pending": "cyan", "waiting": "yellow", "held": "yellow",
    "done": "green", "applied": "green", "failed": "red", "refused": "red", "timeout": "yellow",
    "active": "green", "leased": "green", "flashing": "cyan", "testing": "cyan", "preparing": "cyan",
    "shaky": "yellow", "broken": "red", "quarantine": "red", "ended": "dim",
}  # fmt: skip
SHOWN_FIGURES = 4


class JsonLines(logging.Formatter):
    """One JSON object a line: ts (ms since 1970), level, name, text."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"ts": int(record.created * 1000), "level": record.levelname.lower(), "name": record.name}
        return json.dumps({**line, "text": record.getMessage()})


def word(text: str) -> str:
    """A state word in its colour."""
    return f"[{COLOURS.get(text, 'default')}]{escape(text)}[/]"


def ago(ms: int | None) -> str:
    """How long ago, as people say it."""
    if not ms:
        return "never"
    seconds = max(0, int(time.time() - ms / 1000))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def when(ms: int) -> str:
    """Local date and time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000))


def clock(ms: int | None) -> str:
    """Time of today, else with the date."""
    if not ms:
        return ""
    text = when(ms)
    return text[11:] if text[:10] == when(int(time.time() * 1000))[:10] else text


def new_table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _figures(node: Item) -> str:
    found: list[str] = []
    for device, parts in node["latest"].items():
        for part, values in parts.items():
            if part == "node":
                continue  # its heartbeat: the time it was heard says the same
            units = node.get("units", {}).get(part, {})
            prefix = "" if device == "self" else f"{device} "
            numbers = {
                k: v for k, v in values.items() if k != "ts" and isinstance(v, int | float) and units.get(k) != "ms"
            }
            found += [f"{prefix}{k} {quantity(v, units.get(k, ''))}" for k, v in numbers.items()]
    return escape(", ".join(found[:SHOWN_FIGURES]) + (" ..." if len(found) > SHOWN_FIGURES else ""))


def quantity(value: Any, unit: str) -> str:
    """A number with its unit; bytes and hashes with a prefix: 83.4 GB."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    prefixes = iter("kMGTPE") if unit in ("B", "B/s", "H/s", "Hz") else iter("")
    prefix = ""
    while abs(value) >= 1000 and (larger := next(prefixes, "")):
        value, prefix = value / 1000, larger
    text = f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{text} {prefix}{unit}".rstrip()


def status(farm: Item) -> None:
    table = new_table("Domains", "domain", "", "links", "nodes")
    for d in farm["domains"]:
        links = ", ".join(f"{link['name']} {'up' if link['up'] else 'DOWN'}" for link in d["links"]) or (
            "home" if d["home"] else ""
        )
        counts = ", ".join(f"{n} {w}" for w, n in sorted(d["nodes"].items()))
        table.add_row(d["name"], "[green]heard[/]" if d["up"] else "[red]not heard[/]", links, counts)
    console.print(table)
    nodes(farm["nodes"])
    if farm["alerts"]:
        alerts(farm["alerts"])


def nodes(items: list[Item]) -> None:
    table = new_table("Nodes", "domain", "node", "kind", "presence", "heard", "latest")
    for n in sorted(items, key=lambda n: (n["domain"], n["id"])):
        table.add_row(n["domain"], n["id"], n["kind"], word(n["presence"]), ago(n["heard"]), _figures(n))
    console.print(table)


def node(n: Item) -> None:
    facts = ("domain", "kind", "presence", "state", "software", "boot", "alive_ms", "token")
    table = new_table(n["id"], "what", "value")
    for name in facts:
        table.add_row(name, word(str(n[name])) if name == "presence" else escape(str(n[name])))
    table.add_row("hardware", escape(str(n["info"].get("hardware", ""))))
    table.add_row("heard", ago(n["heard"]))
    table.add_row("enrolled", when(n["created"]))
    for stream in n["streams"]:
        table.add_row(f"stream {escape(stream['name'])}", f"stored up to {stream['mark']}")
    console.print(table)
    values = new_table("Latest values", "device", "part", "field", "value", "age")
    for device, parts in sorted(n["latest"].items()):
        for part, fields in sorted(parts.items()):
            units = n["parts"].get(part, {})
            for name, value in fields.items():
                if name != "ts":
                    values.add_row(device, part, name, escape(quantity(value, units.get(name, ""))), ago(fields["ts"]))
    console.print(values)
    documents = new_table("Documents", "document", "desired", "reported", "status")
    reported = {r["doc"]: r for r in n["reported"]}
    for d in n["desired"]:
        r = reported.get(d["doc"], {})
        error = escape(f": {r['error']}") if r.get("error") else ""
        documents.add_row(d["doc"], str(d["rev"]), str(r.get("rev", "")), escape(r.get("status", "waiting")) + error)
    if n["desired"]:
        console.print(documents)
    if n["alerts"]:
        alerts(n["alerts"])


def alerts(items: Iterable[Item]) -> None:
    table = new_table("Alerts", "since", "severity", "node", "alert", "text")
    for a in items:
        where = a["node"] if a["device"] == "self" else f"{a['node']}/{a['device']}"
        table.add_row(ago(a["since"]), word(a["severity"]), where, a["name"], escape(a["text"]))
    console.print(table if table.row_count else "no alerts")


def events(items: Iterable[Item]) -> None:
    table = new_table("Events", "time", "node", "type", "data")
    for e in items:
        table.add_row(
            when(e["ts"]), f"{e['node']}/{e['device']}".removesuffix("/self"), e["type"], escape(str(e["data"]))
        )
    console.print(table if table.row_count else "no events")


def logs(items: Iterable[Item]) -> None:
    for line in items:
        console.print(f"[dim]{when(line['ts'])}[/] {line['node']} {word(line['level'])} {escape(line['text'])}")


def audit(items: Iterable[Item]) -> None:
    table = new_table("Audit log", "time", "by", "what", "subject", "data")
    for a in items:
        data: Item = a["data"]
        shown = _changed_fields(data) if {"before", "after"} <= data.keys() else str(data)
        about = (escape(str(each)) for each in (a["by"], a["what"], a["subject"], shown))
        table.add_row(when(a["ts"]), *about)
    console.print(table if table.row_count else "no changes")


def _changed_fields(data: Item) -> str:
    """A change of a record, field by field."""
    before: Item = data["before"] or {}
    after: Item = data["after"] or {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    lines = [f"{name}: {before.get(name, '-')} -> {after.get(name, '-')}" for name in names]
    return "\n".join([*lines, *(f"{name} {data[name]}" for name in ("rollout", "canary") if data.get(name))])


def dead_letters(answer: Item) -> None:
    table = new_table("Refused messages", "time", "sender", "topic", "field", "problem")
    for d in answer["items"]:
        table.add_row(when(d["ts"]), escape(d["sender"]), escape(d["topic"]), escape(d["field"]), escape(d["problem"]))
    console.print(table if table.row_count else "no refused messages")
    for s in answer["senders"]:
        console.print(f"{escape(s['sender'])}: {s['count']} in all, last {ago(s['last'])}")


def tokens(items: Iterable[Item]) -> None:
    table = new_table("Tokens", "id", "state", "domain", "kind", "node", "made", "expires")
    for t in items:
        table.add_row(
            t["id"], t["state"], t["domain"], t["kind"], t["node"] or t["name"], when(t["created"]), when(t["expires"])
        )
    console.print(table if table.row_count else "no tokens")


def new_token(answer: Item) -> None:
    if not answer["live"]:
        console.print(f"[yellow]the broker of {answer['domain']} has not taken it in yet; it works once it has[/]")
    console.print(
        f"token {answer['id']} for one {answer['kind']} in {answer['domain']}, until {when(answer['expires'])}:"
    )
    print(answer["token"])
    if answer["kind"] != "esp":
        print(
            f"\non the new host:\n  farmhand sentry enrol {answer['broker']} {answer['token']}\n  farmhand sentry run"
        )


def keys(items: Iterable[Item]) -> None:
    table = new_table("API keys", "id", "name", "role", "made")
    for k in items:
        table.add_row(k["id"], escape(k["name"]), k["role"], when(k["created"]))
    console.print(table)


def command(row: Item) -> None:
    console.print(f"{row['node']}: {row['name']}: {word(row['status'])} {escape(row['code'] or '')}")
    if row["result"] is not None:
        console.print_json(data=row["result"])


def live(kind: str, data: Item) -> None:
    at = f"[dim]{time.strftime('%H:%M:%S')}[/]"
    match kind:
        case "telemetry":
            figures = ", ".join(f"{k} {quantity(v, '')}" for k, v in data["data"].items())
            console.print(f"{at} [dim]{data['node']}/{data['device']} {data['part']}: {escape(figures)}[/]")
        case "node":
            console.print(f"{at} {data['id']} is {word(data['presence'])}")
        case "event":
            console.print(f"{at} {data['node']} [bold]{data['type']}[/] {escape(str(data['data']))}")
        case "alert":
            console.print(f"{at} {word(data['severity'])} {data['node']} {data['name']}: {escape(data['text'])}")
        case _:
            console.print(f"{at} {kind} {escape(str(data))}")
