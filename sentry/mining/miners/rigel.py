"""Rigel's HTTP API (`--api-bind`): `/stat`. Figures stand under the name of their algorithm, in H/s; `algorithm` has
the names with `+` between."""

from collections.abc import Sequence

from sentry.mining.answer import Answer, printable, total
from sentry.mining.figures import MOST_ALGORITHMS, MOST_CARDS, Algorithm, Card, Figures
from sentry.mining.miners import Adapter, BadAnswer, Http


def read(answers: Sequence[bytes]) -> Figures:
    """Source: an answer of Rigel 1.23.2 (tests/mining/recorded/rigel)."""
    told = Answer.of(answers[0])
    rates = told.part("hashrate")
    if "hashrate" not in told:
        raise BadAnswer("hashrate", "missing: it is no Rigel")
    first = [name for name in told.text("algorithm").split("+")[:MOST_ALGORITHMS] if name in rates]
    names = [*first, *(name for name in rates.names() if name not in first)][:MOST_ALGORITHMS]
    # Only the cards that were chosen mine.
    devices = [each for each in told.parts("devices")[:MOST_CARDS] if each.flag("selected") or "selected" not in each]
    cards = tuple(_card(each, names) for each in devices)
    return Figures(
        "rigel",
        told.text("version"),
        told.count("uptime"),
        tuple(_algorithm(told, name) for name in names),
        cards,
        total(card.power for card in cards) or told.amount("power_usage") or None,
    )


def _algorithm(told: Answer, name: str) -> Algorithm:
    shares = told.part("solution_stat").part(name)
    place = next((each.part("connection_details") for each in told.part("pools").parts(name)), Answer({}))
    host, port = place.text("hostname"), place.count("port")
    return Algorithm(
        name=printable(name),
        hashrate=told.part("hashrate").amount(name),
        accepted=shares.count("accepted"),
        rejected=shares.count("rejected"),
        invalid=shares.count("invalid"),
        pool=f"{host}:{port}" if host and port else host,
        user=".".join(filter(None, (place.text("username"), place.text("worker")))),
    )


def _card(told: Answer, names: list[str]) -> Card:
    rates, health = told.part("hashrate"), told.part("monitoring_info")
    shares = [told.part("solution_stat").part(name) for name in names]
    accepted, rejected = (total(each.count(name) for each in shares) for name in ("accepted", "rejected"))
    return Card(
        name=told.text("name"),
        hashrate=rates.amount(names[0]) if names else None,
        hashrate_2=rates.amount(names[1]) if names[1:] else None,
        temp=health.number("core_temperature"),
        mem_temp=health.number("memory_temperature"),
        fan=health.amount("fan_speed"),
        power=health.amount("power_usage") or told.amount("power_usage") or None,
        core_mhz=health.amount("core_clock"),
        mem_mhz=health.amount("memory_clock"),
        accepted=None if accepted is None else int(accepted),
        rejected=None if rejected is None else int(rejected),
        bus=told.text("pci_address"),
    )


ADAPTER = Adapter(asks=(Http("/stat"),), read=read, port=44_050)
