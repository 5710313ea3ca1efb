"""T-Rex's HTTP API (`--api-bind-http`): `/summary`. Hash rates are H/s; the second algorithm is `dual_stat`."""

from collections.abc import Sequence

from sentry.mining.answer import Answer, total
from sentry.mining.figures import Algorithm, Card, Figures
from sentry.mining.miners import Adapter, BadAnswer, Http


def read(answers: Sequence[bytes]) -> Figures:
    """Source: answers of T-Rex 0.5, 0.19 and 0.24 (tests/mining/recorded/trex); older ones know neither temperatures
    nor power."""
    told = Answer.of(answers[0])
    if "gpus" not in told:
        raise BadAnswer("gpus", "missing: it is no T-Rex")
    second = told.part("dual_stat")
    algorithms = [_algorithm(told)] + ([_algorithm(second)] if second.names() else [])
    rates_2 = {each.count("gpu_id"): each.amount("hashrate") for each in second.parts("gpus")}
    cards = tuple(_card(each, rates_2.get(each.count("gpu_id"))) for each in told.parts("gpus"))
    return Figures(
        "trex",
        told.text("version"),
        told.count("uptime"),
        tuple(algorithms),
        cards,
        total(card.power for card in cards) or None,
        paused=told.flag("paused"),
    )


def _algorithm(told: Answer) -> Algorithm:
    pool = told.part("active_pool")
    return Algorithm(
        name=told.text("algorithm"),
        hashrate=told.amount("hashrate"),
        accepted=told.count("accepted_count"),
        rejected=told.count("rejected_count"),
        invalid=told.count("invalid_count"),
        pool=pool.text("url"),
        user=".".join(filter(None, (pool.text("user"), pool.text("worker")))),
    )


def _card(told: Answer, rate_2: float | None) -> Card:
    shares, bus, slot = told.part("shares"), told.count("pci_bus"), told.count("pci_id")
    return Card(
        name=" ".join(filter(None, (told.text("vendor"), told.text("name")))),
        hashrate=told.amount("hashrate"),
        hashrate_2=rate_2,
        temp=told.number("temperature") or None,
        mem_temp=told.number("memory_temperature") or None,
        fan=told.amount("fan_speed"),
        power=told.amount("power") or None,
        core_mhz=told.amount("cclock") or None,
        mem_mhz=told.amount("mclock") or None,
        accepted=shares.count("accepted_count"),
        rejected=shares.count("rejected_count"),
        bus="" if bus is None or slot is None else f"{bus:02x}:{slot:02x}",
    )


ADAPTER = Adapter(asks=(Http("/summary"),), read=read, port=44_030)
