"""XMRig's HTTP API, version 2 (`--http-port`, for control `--http-no-restricted` and `--http-access-token`).

Hash rates are means of 10 s, 60 s and 15 min, each null until it is known. `/2/backends` tells them of each thread;
threads of one GPU have its bus in common.
"""

from collections.abc import Sequence

from sentry.mining.answer import Answer, total
from sentry.mining.figures import Algorithm, Card, Figures
from sentry.mining.miners import Adapter, BadAnswer, Http


def read(answers: Sequence[bytes]) -> Figures:
    """Source: XMRig's `/2/summary` and `/2/backends`, 6.16 to 6.22."""
    told = Answer.of(answers[0])
    if "hashrate" not in told:
        raise BadAnswer("hashrate", "missing: it is no XMRig")
    pool, shares, paused = told.part("connection"), told.part("results"), told.flag("paused")
    good, all_shares = shares.count("shares_good"), shares.count("shares_total")
    algorithm = Algorithm(
        name=told.text("algo") or pool.text("algo"),
        # A pause leaves the longer means standing.
        hashrate=None if paused else _now(told.part("hashrate"), "total"),
        accepted=good,
        rejected=None if good is None or all_shares is None else max(0, all_shares - good),
        pool=pool.text("pool"),
        difficulty=pool.amount("diff") or None,
    )
    cards = _cards(answers[1], told.part("cpu").text("brand"))
    power = total(card.power for card in cards) or None
    return Figures("xmrig", told.text("version"), told.count("uptime"), (algorithm,), cards, power, paused)


def _cards(got: bytes, processor: str) -> tuple[Card, ...]:
    """GPUs first, then the processor if it mines. None where the miner does not tell (`/2/backends` is optional)."""
    try:
        backends = [each for each in Answer.each_of(got or b"[]") if each.flag("enabled")]
    except BadAnswer:
        return ()
    threads = [thread for each in backends if each.text("type") != "cpu" for thread in each.parts("threads")]
    of_bus: dict[str, list[Answer]] = {}
    for number, thread in enumerate(threads):
        of_bus.setdefault(thread.text("bus_id") or f"thread {number}", []).append(thread)
    own = [_processor(each, processor) for each in backends if each.text("type") == "cpu" and each.parts("threads")]
    return (*(_gpu(each) for each in of_bus.values()), *own)


def _gpu(threads: list[Answer]) -> Card:
    first = threads[0]
    health = first.part("health")
    return Card(
        name=first.text("name"),
        hashrate=total(_now(each, "hashrate") for each in threads),
        temp=health.number("temperature"),
        fan=next(iter(health.amounts("fan_speed")), None),
        fan_rpm=next(iter(health.amounts("rpm")), None),
        power=health.amount("power"),
        core_mhz=health.amount("clock"),
        mem_mhz=health.amount("mem_clock"),
        bus=first.text("bus_id"),
    )


def _processor(backend: Answer, name: str) -> Card:
    return Card(name=name, hashrate=_now(backend, "hashrate"), processor=True)


def _now(told: Answer, name: str) -> float | None:
    """The mean of the shortest time that is known."""
    return next((rate for rate in told.amounts(name) if rate is not None), None)


def _rpc(method: str) -> tuple[Http, ...]:
    return (Http("/json_rpc", "POST", f'{{"method":"{method}","id":1}}'),)


ADAPTER = Adapter(
    asks=(Http("/2/summary"), Http("/2/backends")),
    read=read,
    port=44_000,
    optional=1,
    controls={"pause": _rpc("pause"), "resume": _rpc("resume")},
)
