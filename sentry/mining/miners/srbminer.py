"""SRBMiner-Multi's HTTP API (`--api-enable --api-port`), three forms: a list `algorithms` with the processor and the
cards apart (since 0.7 or so), one algorithm for all (SRBMiner-Multi before), and SRBMiner 1.x. Hash rates are H/s.
"""

from collections.abc import Sequence

from sentry.mining.answer import Answer, total
from sentry.mining.figures import MOST_ALGORITHMS, MOST_CARDS, Algorithm, Card, Figures
from sentry.mining.miners import Adapter, BadAnswer, Http


def read(answers: Sequence[bytes]) -> Figures:
    """Source: tests/mining/recorded/srbminer."""
    told = Answer.of(answers[0])
    if "algorithms" in told:
        parts = told.parts("algorithms")[:MOST_ALGORITHMS]
        algorithms, cards = tuple(_algorithm(each) for each in parts), _cards(told, parts)
    elif "hashrate_total_now" in told:
        algorithms, cards = (_old_algorithm(told),), _old_cards(told)
    else:
        raise BadAnswer("algorithms", "missing: it is no SRBMiner")
    power = total(card.power for card in cards) or None
    return Figures("srbminer", told.text("miner_version"), told.count("mining_time"), algorithms, cards, power)


def _algorithm(told: Answer) -> Algorithm:
    rate = told.part("hashrate")
    known = total((rate.part("gpu").amount("total"), rate.part("cpu").amount("total")))
    return _with_shares(told, told.text("name"), rate.amount("1min") if known is None else known)


def _old_algorithm(told: Answer) -> Algorithm:
    name = told.text("algorithm") or told.text("cryptonight_type")
    return _with_shares(told, name, told.amount("hashrate_total_now"))


def _with_shares(told: Answer, name: str, rate: float | None) -> Algorithm:
    shares, pool = told.part("shares"), told.part("pool")
    return Algorithm(
        name=name,
        hashrate=rate,
        accepted=shares.count("accepted"),
        rejected=shares.count("rejected"),
        stale=shares.count("accepted_stale"),
        pool=pool.text("pool"),
        user=pool.text("wallet"),
        difficulty=pool.amount("difficulty"),
    )


def _cards(told: Answer, parts: list[Answer]) -> tuple[Card, ...]:
    """Each algorithm tells what the card `gpu0` does for it."""
    first, *others = parts or [Answer({})]
    found: list[Card] = []
    for device in told.parts("gpu_devices")[:MOST_CARDS]:
        key = device.text("device")
        found.append(
            _card(
                device,
                first.part("hashrate").part("gpu").amount(key),
                others[0].part("hashrate").part("gpu").amount(key) if others else None,
                total(each.part("gpu_accepted_shares").count(key) for each in parts),
                total(each.part("gpu_rejected_shares").count(key) for each in parts),
            )
        )
    rates = [each.part("hashrate").part("cpu").amount("total") for each in parts]
    names = [each.text("model") for each in told.parts("cpu_devices")]
    if rate := total(rates):
        found.append(Card(name=next(iter(names), ""), hashrate=rate, processor=True))
    return tuple(found)


def _old_cards(told: Answer) -> tuple[Card, ...]:
    rates = next(iter(told.parts("gpu_hashrate")), Answer({}))
    return tuple(
        _card(device, device.amount("hashrate") if "hashrate" in device else rates.amount(device.text("device")))
        for device in [*told.parts("devices"), *told.parts("gpu_devices")]
    )


def _card(
    device: Answer,
    rate: float | None,
    rate_2: float | None = None,
    accepted: float | None = None,
    rejected: float | None = None,
) -> Card:
    bus = device.count("bus_id")
    return Card(
        name=device.text("model"),
        hashrate=rate,
        hashrate_2=rate_2,
        temp=device.number("temperature") or None,
        fan_rpm=device.amount("fan_speed_rpm"),
        power=device.amount("asic_power") or None,
        core_mhz=device.amount("core_clock") or None,
        mem_mhz=device.amount("memory_clock") or None,
        accepted=None if accepted is None else int(accepted),
        rejected=None if rejected is None else int(rejected),
        bus="" if bus is None else f"{bus:02x}:00",
    )


ADAPTER = Adapter(asks=(Http("/"),), read=read, port=44_040)
