"""XMRig's HTTP API, version 2 (`--http-port`, for control `--http-no-restricted` and `--http-access-token`).

Hash rates are means of 10 s, 60 s and 15 min, each null until it is known.
"""

from collections.abc import Sequence

from sentry.mining.answer import Answer
from sentry.mining.figures import Algorithm, Figures
from sentry.mining.miners import Adapter, Http


def read(answers: Sequence[bytes]) -> Figures:
    """Source: XMRig's `/2/summary`, 6.16 to 6.22."""
    told = Answer.of(answers[0])
    pool, shares = told.part("connection"), told.part("results")
    good, total = shares.count("shares_good"), shares.count("shares_total")
    algorithm = Algorithm(
        name=told.text("algo") or pool.text("algo"),
        hashrate=next((rate for rate in told.part("hashrate").numbers("total") if rate is not None), None),
        accepted=good,
        rejected=None if good is None or total is None else max(0, total - good),
        pool=pool.text("pool"),
        difficulty=pool.number("diff"),
    )
    return Figures("xmrig", told.text("version"), told.count("uptime"), (algorithm,), paused=told.flag("paused"))


def _rpc(method: str) -> tuple[Http, ...]:
    return (Http("/json_rpc", "POST", f'{{"method":"{method}","id":1}}'),)


ADAPTER = Adapter(
    asks=(Http("/2/summary"),),
    read=read,
    port=44_000,
    controls={"pause": _rpc("pause"), "resume": _rpc("resume")},
)
