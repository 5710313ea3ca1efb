"""lolMiner's HTTP API (`--apiport`), two forms: since 1.43 units are told and several algorithms, before neither."""

import re
from collections.abc import Sequence

from sentry.mining.answer import Answer, times, total
from sentry.mining.figures import MOST_ALGORITHMS, MOST_CARDS, Algorithm, Card, Figures
from sentry.mining.miners import Adapter, BadAnswer, Http

PREFIXES = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
ETHASH_IN_MHS = 1.09


def read(answers: Sequence[bytes]) -> Figures:
    """Source: answers of lolMiner 0.6, 1.9x; fields of 1.43 (tests/mining/recorded/lolminer)."""
    told = Answer.of(answers[0])
    software, session = told.text("Software"), told.part("Session")
    version = software.removeprefix("lolMiner").strip()
    if "Algorithms" in told:
        algorithms, cards = _algorithms(told), _cards(told)
    elif "GPUs" in told:
        algorithms, cards = _old(told, version)
    else:
        raise BadAnswer("Algorithms", "missing, as is GPUs: it is no lolMiner")
    power = total(card.power for card in cards) or None
    return Figures("lolminer", version, session.count("Uptime"), algorithms, cards, power)


def _algorithms(told: Answer) -> tuple[Algorithm, ...]:
    return tuple(
        Algorithm(
            name=" ".join(filter(None, (each.text("Algorithm"), each.text("Algorithm_Appendix")))),
            hashrate=times(each.amount("Total_Performance"), each.amount("Performance_Factor")),
            accepted=each.count("Total_Accepted"),
            rejected=each.count("Total_Rejected"),
            stale=each.count("Total_Stales"),
            invalid=each.count("Total_Errors"),
            pool=each.text("Pool"),
            user=".".join(filter(None, (each.text("User"), each.text("Worker")))),
        )
        for each in told.parts("Algorithms")
    )


def _cards(told: Answer) -> tuple[Card, ...]:
    """Each algorithm tells lists of its own, in the order of the cards."""
    algorithms = told.parts("Algorithms")[:MOST_ALGORITHMS]

    def of_card(name: str, number: int) -> list[float | None]:
        return [next(iter(each.amounts(name)[number : number + 1]), None) for each in algorithms]

    found: list[Card] = []
    for number, card in enumerate(told.parts("Workers")[:MOST_CARDS]):
        factors = [each.amount("Performance_Factor") for each in algorithms]
        rates = [times(*each) for each in zip(of_card("Worker_Performance", number), factors, strict=True)]
        accepted, rejected = (total(of_card(f"Worker_{name}", number)) for name in ("Accepted", "Rejected"))
        found.append(_card(card, rates, accepted, rejected))
    return tuple(found)


def _card(card: Answer, rates: list[float | None], accepted: float | None, rejected: float | None) -> Card:
    return Card(
        name=card.text("Name"),
        hashrate=rates[0] if rates else None,
        hashrate_2=rates[1] if rates[1:] else None,
        temp=card.number("Core_Temp") or None,  # 0: no such sensor
        mem_temp=card.number("Mem_Temp") or None,
        fan=card.amount("Fan_Speed"),
        power=card.amount("Power") or None,
        core_mhz=card.amount("CCLK") or None,
        mem_mhz=card.amount("MCLK") or None,
        accepted=None if accepted is None else int(accepted),
        rejected=None if rejected is None else int(rejected),
        bus=card.text("PCIE_Address"),
    )


def _old(told: Answer, version: str) -> tuple[tuple[Algorithm, ...], tuple[Card, ...]]:
    session, pool = told.part("Session"), told.part("Stratum")
    name = told.part("Mining").text("Algorithm")
    unit = _unit(session.text("Performance_Unit"), name, version)
    accepted, submitted = session.count("Accepted"), session.count("Submitted")
    algorithm = Algorithm(
        name=name,
        hashrate=times(session.amount("Performance_Summary"), unit),
        accepted=accepted,
        rejected=None if accepted is None or submitted is None else max(0, submitted - accepted),
        pool=pool.text("Current_Pool"),
        user=pool.text("Current_User"),
    )
    cards = [
        Card(
            name=card.text("Name"),
            hashrate=times(card.amount("Performance"), unit),
            temp=card.number("Temp (deg C)") or None,
            fan=card.amount("Fan Speed (%)"),
            power=card.amount("Consumption (W)") or None,
            accepted=card.count("Session_Accepted"),
            bus=card.text("PCIE_Address"),
        )
        for card in told.parts("GPUs")
    ]
    return (algorithm,), tuple(cards)


def _unit(told: str, algorithm: str, version: str) -> float:
    """H/s of one. Where nothing is told it is one (solutions count as hashes), but for Ethash: MH/s since 1.09."""
    if told:
        prefix = told.lower().removesuffix("/s").removesuffix("ps")
        return PREFIXES.get(prefix[:1], 1.0) if prefix not in ("g", "gps") else 1.0  # g/s: graphs of Cuckoo
    number = re.match(r"\d+(\.\d+)?", version)
    late = number is not None and float(number[0]) >= ETHASH_IN_MHS
    return 1e6 if late and algorithm.lower().startswith(("ethash", "etchash")) else 1.0


ADAPTER = Adapter(asks=(Http("/summary"),), read=read, port=44_010)
