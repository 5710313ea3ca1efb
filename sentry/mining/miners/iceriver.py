"""IceRiver's web panel: `POST /user/userpanel` with the form `post=4`. It only tells; nothing here changes anything.

Hash rates are text with a unit ("6226G"), the time it runs is "days:hours:minutes:seconds".
"""

import re
from collections.abc import Sequence

from sentry.mining.answer import Answer
from sentry.mining.figures import Algorithm, Card, Figures
from sentry.mining.miners import Adapter, BadAnswer, Http
from sentry.mining.repair import read as read_json
from sentry.reading import Scalar

RATE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([KMGTP]?)(?:H/?s?)?\s*", re.IGNORECASE)
FACTORS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
UNKNOWN = ("none", "null", "(null)")
# What the flags of the panel say when they are false.
ALARMS = {"powstate": "power", "netstate": "network", "fanstate": "fans", "tempstate": "temperature"}


def read(answers: Sequence[bytes]) -> Figures:
    """Source: real answers of a KS3M and a KS0 (tests/mining/recorded/iceriver)."""
    whole = read_json(answers[0])
    error = whole.number("error")
    if error:
        raise BadAnswer("error", f"the miner says {error:g}: {whole.text('message') or 'no reason'}")
    if "data" not in whole:
        raise BadAnswer("data", "missing: a login may be needed, or it is no IceRiver")
    told = whole.part("data")
    pools = told.parts("pools")
    pool = next((each for each in pools if _yes(each, "connect")), Answer({}))
    algorithm = Algorithm(
        name=_known(told.text("algo")) or "kheavyhash",
        hashrate=_rate(told.text("rtpow"), told.text("unit")),
        accepted=_sum(pools, "accepted"),
        rejected=_sum(pools, "rejected"),
        pool=pool.text("addr"),
        user=pool.text("user"),
        difficulty=_rate(pool.text("diff")),
    )
    fans = [rpm for rpm in told.numbers("fans") if rpm]
    extra: dict[str, Scalar] = {
        "model": _model(told),
        "firmware": " ".join(filter(None, (told.text("firmver1"), told.text("firmver2")))),
        "fault": _faults(told),
        "reject_pct": told.number("reject"),
    }
    if fans:
        extra |= {"fans": len(fans), "fan_rpm": min(fans)}
    cards = tuple(_board(each) for each in told.parts("boards"))
    return Figures("iceriver", told.text("softver1"), _seconds(told.text("runtime")), (algorithm,), cards, extra=extra)


def _board(board: Answer) -> Card:
    """``temp``: °C where the air leaves, the hotter end."""
    return Card(
        name=f"board {board.count('no') or ''}".strip(),
        hashrate=_rate(board.text("rtpow")),
        temp=board.number("outtmp") or board.number("intmp"),
        core_mhz=board.number("freq"),
    )


def _rate(text: str, unit: str = "") -> float | None:
    """ "6226G" -> 6.226e12; ``unit``: of a number without one."""
    form = RATE.fullmatch(text)
    if not form:
        return None
    return float(form[1]) * FACTORS.get((form[2] or unit).upper(), 1.0)


def _seconds(runtime: str) -> int | None:
    parts = runtime.split(":")
    if len(parts) != 4 or not all(part.isdecimal() and len(part) < 7 for part in parts):
        return None
    days, hours, minutes, seconds = (int(part) for part in parts)
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _known(text: str) -> str:
    return "" if text.lower() in UNKNOWN else text


def _model(told: Answer) -> str:
    """Many leave `model` at "none"; the software's name has it then: 5977449_ks3m_miner."""
    model = _known(told.text("model"))
    parts = told.text("softver1").split("_")
    return model or (f"IceRiver {parts[1].upper()}" if len(parts) > 2 else "IceRiver")


def _faults(told: Answer) -> str:
    wrong = [text for name, text in ALARMS.items() if name in told and not _yes(told, name)]
    boards = [
        f"board {board.count('no')}: error {board.count('error')}"
        for board in told.parts("boards")
        if board.count("error")
    ]
    boards += [
        f"board {board.count('no')}: off"
        for board in told.parts("boards")
        if "state" in board and not _yes(board, "state")
    ]
    return "; ".join([*([f"alarm: {', '.join(wrong)}"] if wrong else []), *boards])[:512]


def _yes(part: Answer, name: str) -> bool:
    """Some firmwares say true, some 1."""
    return part.flag(name) or bool(part.number(name))


def _sum(pools: list[Answer], name: str) -> int | None:
    counts = [count for pool in pools if (count := pool.count(name)) is not None]
    return sum(counts) if counts else None


ADAPTER = Adapter(asks=(Http("/user/userpanel", "POST", "post=4", form=True),), read=read, port=80)
