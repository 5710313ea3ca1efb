"""BzMiner's HTTP API (`--http_enabled 1`, `--http_port`): `/status`.

Each device tells a list for what differs by algorithm, in the order of its `pool` list. Entries of pools that are not
in use hold garbage, and with many cards the answer ends in the middle.
"""

from collections.abc import Sequence

from sentry.mining.answer import Answer, total
from sentry.mining.figures import MOST_ALGORITHMS, MOST_CARDS, Algorithm, Card, Figures
from sentry.mining.miners import Adapter, BadAnswer, Http

PROCESSOR = 4


def read(answers: Sequence[bytes]) -> Figures:
    """Source: tests/mining/recorded/bzminer. An answer that was cut off says so in ``extra``: cards are
    missing, and so is what only they tell."""
    told, cut = Answer.of_cut(answers[0])
    devices = told.parts("devices")[:MOST_CARDS]
    if "devices" not in told and "pools" not in told:
        raise BadAnswer("devices", "missing: it is no BzMiner")
    pools = [each for each in told.parts("pools")[:MOST_CARDS] if _in_use(each, devices)]
    if not pools and devices:  # the answer ended before them, perhaps
        width = max(len(each.amounts("hashrate")) for each in devices)
        pools = [Answer({})] * min(width, MOST_ALGORITHMS)
    algorithms = tuple(_algorithm(pool, number, devices, cut) for number, pool in enumerate(pools))
    cards = tuple(_card(each, pools) for each in devices)
    return Figures(
        "bzminer",
        told.text("bzminer_version").removeprefix("v"),
        told.count("uptime_s"),
        algorithms,
        cards,
        total(card.power for card in cards) or None,
        extra={"incomplete": cut},
    )


def _in_use(pool: Answer, devices: list[Answer]) -> bool:
    """A device mines there; or, where devices do not say where they do, something was done there."""
    number = pool.count("id")
    if any("pool" in each for each in devices):
        return number is not None and any(number in each.amounts("pool") for each in devices)
    done = ("hashrate", "uptime_s", "valid_solutions", "total_solutions")
    return any((pool.amount(name) or 0) > 0 for name in done)


def _algorithm(pool: Answer, place: int, devices: list[Answer], cut: bool) -> Algorithm:
    """``place``: of this algorithm in a device's lists, for devices that do not name their pools."""

    def of_devices(name: str) -> float | None:
        return total(_at(each, name, _place(each, pool, place)) for each in devices)

    def shares(name: str) -> int | None:
        told = pool.count(name) if name in pool else of_devices(name)
        return None if told is None else int(told)

    rate, of_pool = of_devices("hashrate"), pool.amount("hashrate")
    if rate is None or (cut and of_pool):
        rate = of_pool
    return Algorithm(
        name=pool.text("algorithm"),
        hashrate=rate,
        accepted=shares("valid_solutions"),
        rejected=shares("rejected_solutions"),
        stale=shares("stale_solutions"),
        invalid=shares("invalid_solutions"),
        pool=pool.text("current_url"),
        user=pool.text("wallet"),
        difficulty=pool.amount("difficulty") or None,
    )


def _place(device: Answer, pool: Answer, place: int) -> int | None:
    if "pool" not in device or "id" not in pool:
        return place
    places, number = device.amounts("pool"), pool.count("id")
    return places.index(number) if number in places else None


def _at(device: Answer, name: str, place: int | None) -> float | None:
    told = device.amounts(name)
    return told[place] if place is not None and place < len(told) else None


def _card(device: Answer, pools: list[Answer]) -> Card:
    rates = [_at(device, "hashrate", _place(device, pool, place)) for place, pool in enumerate(pools[:2])]
    accepted, rejected = total(device.amounts("valid_solutions")), total(device.amounts("rejected_solutions"))
    bus = device.count("pci_bus_id")
    return Card(
        name=device.text("name"),
        hashrate=rates[0] if rates else None,
        hashrate_2=rates[1] if rates[1:] else None,
        temp=device.number("core_temp") or None,
        mem_temp=device.number("mem_temp") or None,
        fan=device.amount("fan"),
        power=device.amount("power") or None,
        core_mhz=device.amount("clock_rate") or None,
        mem_mhz=device.amount("memory_rate") or None,
        accepted=None if accepted is None else int(accepted),
        rejected=None if rejected is None else int(rejected),
        bus="" if bus is None else f"{bus:02x}:00",
        processor=device.number("vendor") == PROCESSOR,
    )


ADAPTER = Adapter(asks=(Http("/status"),), read=read, port=44_020)
