"""The cgminer family over TCP 4028: cgminer, bmminer and its Antminers, Vnish, Avalon, Innosilicon.

Reports are open to all; what changes something wants the host in the miner's `--api-allow W:...`. Stock Antminers tell
boards, temperatures and fans only in `stats`, in fields numbered by board, and in JSON that must be repaired.
"""

import json
import re
from collections.abc import Iterable, Sequence

from sentry.mining.answer import Answer
from sentry.mining.figures import Algorithm, Card, Figures
from sentry.mining.miners import Adapter, Ask, BadAnswer, Tcp
from sentry.mining.repair import read as read_json
from sentry.reading import Scalar

SPANS = ("5s", "1m", "5m", "15m", "av")
UNITS = {"GHS": 1e9, "MHS": 1e6, "KHS": 1e3, "THS": 1e12}
MOST_BOARDS, MOST_FANS = 16, 8
ERRORS = {
    45: "access denied (code 45): this sentry's address is not in the miner's --api-allow",
    14: "invalid command (code 14): the miner's firmware does not know it",
}
# By the letter of an Antminer's model.
ALGORITHMS = {
    "S": "sha256",
    "T": "sha256",
    "L": "scrypt",
    "D": "x11",
    "Z": "equihash",
    "E": "ethash",
    "K": "kheavyhash",
}
MODEL = re.compile(r"Antminer ([A-Z])", re.IGNORECASE)


def command(name: str, parameter: object = None) -> Tcp:
    """One request of this API."""
    body = {"command": name} if parameter is None else {"command": name, "parameter": str(parameter)}
    return Tcp(json.dumps(body, separators=(",", ":")))


def check(told: Answer) -> None:
    """BadAnswer when the miner says that it did not do it."""
    for status in told.parts("STATUS"):
        if status.text("STATUS") in ("E", "F"):
            code = status.count("Code")
            raise BadAnswer("STATUS", ERRORS.get(code or 0, f"{status.text('Msg') or 'error'} (code {code})"))


def read(answers: Sequence[bytes]) -> Figures:
    """Source: cgminer's API-README and real answers (tests/mining/recorded/cgminer)."""
    joint = read_json(answers[0])
    check(joint)
    summary = _section(joint, "summary", "SUMMARY", needed=True)[0]
    devices, pools = _section(joint, "devs", "DEVS"), _section(joint, "pools", "POOLS")
    stats, version, notes = (_optional(answers[number]) for number in (1, 2, 3))
    told = stats.parts("STATS")
    about = [*version.parts("VERSION"), *told]
    # The first entry of stats says what it is, the second how it does.
    chains = next((each for each in told if any(name.startswith("chain_") for name in each.names())), Answer({}))
    model = _first(about, "Type", "PROD", "Model")
    software, _, release = _description(joint).partition(" ")
    pool = _active(pools)
    algorithm = Algorithm(
        name=_algorithm(model, software),
        hashrate=_rate(summary),
        accepted=summary.count("Accepted"),
        rejected=summary.count("Rejected"),
        stale=summary.count("Stale"),
        invalid=summary.count("Hardware Errors"),
        pool=pool.text("URL") or pool.text("Stratum URL"),
        user=pool.text("User"),
        difficulty=pool.number("Stratum Difficulty") or pool.number("Work Difficulty"),
    )
    cards = _boards(chains) or [_device(each) for each in devices]
    extra: dict[str, Scalar] = {"model": model, "firmware": _first(about, "Miner", "LVERSION"), "fault": _faults(notes)}
    return Figures(
        software or "cgminer",
        release,
        summary.count("Elapsed"),
        (algorithm,),
        tuple(cards),
        _power(summary, chains),
        extra=extra | _fans(chains) | _expected(chains),
    )


def _section(joint: Answer, command: str, name: str, needed: bool = False) -> list[Answer]:
    """Of a joint answer, where each command has a list with its answer, or of the answer to one command alone."""
    inner = next(iter(joint.parts(command)), joint)
    if needed:
        check(inner)
    found = inner.parts(name)
    if needed and not found:
        raise BadAnswer(name, "missing")
    return found


def _optional(got: bytes) -> Answer:
    """What may be missing, or refused: then empty."""
    try:
        return read_json(got) if got else Answer({})
    except BadAnswer:
        return Answer({})


def _description(joint: Answer) -> str:
    inner = next(iter(joint.parts("summary")), joint)
    return next((each.text("Description") for each in inner.parts("STATUS")), "")


def _first(parts: Iterable[Answer], *names: str) -> str:
    return next((text for part in parts for name in names if (text := part.text(name))), "")


def _algorithm(model: str, software: str) -> str:
    letter = MODEL.match(model)
    if letter:
        return ALGORITHMS.get(letter[1].upper(), "")
    return "sha256" if software.lower().startswith("bosminer") else ""


def _rate(part: Answer) -> float | None:
    """H/s over the shortest span that is told."""
    for span in SPANS:
        for unit, factor in UNITS.items():
            found = part.number(f"{unit} {span}")
            if found is not None and found >= 0:
                return found * factor
    return None


def _active(pools: list[Answer]) -> Answer:
    """The pool it works for: the one with a connection, else the first that lives."""
    pools = sorted(pools, key=lambda pool: pool.number("Priority") or 0)
    connected = [pool for pool in pools if pool.flag("Stratum Active")]
    alive = [pool for pool in pools if pool.text("Status") == "Alive"]
    return next(iter(connected + alive), Answer({}))


def _boards(chains: Answer) -> list[Card]:
    found: list[Card] = []
    for number in range(1, MOST_BOARDS + 1):
        if not chains.count(f"chain_acn{number}"):  # places without a board are told too
            continue
        rate = chains.number(f"chain_rate{number}")
        found.append(
            Card(
                name=f"board {number}",
                hashrate=None if rate is None else rate * 1e9,
                temp=_hottest(chains, f"temp_chip{number}", f"temp2_{number}", f"temp{number}"),
                core_mhz=chains.number(f"freq_avg{number}"),
                power=chains.number(f"chain_consumption{number}") or None,
            )
        )
    return found


def _hottest(chains: Answer, *names: str) -> float | None:
    """°C of the first that is told; some are "52-75", each end of the board."""
    for name in names:
        number = chains.number(name)
        ends = (
            [number] if number is not None else [Answer({"n": end}).number("n") for end in chains.text(name).split("-")]
        )
        told = [end for end in ends if end]
        if told:
            return max(told)
    return None


def _device(device: Answer) -> Card:
    name = device.text("Name") or "board"
    number = next((n for kind in ("ASC", "PGA", "GPU") if (n := device.count(kind)) is not None), "")
    return Card(
        name=f"{name} {number}".strip(),
        hashrate=_rate(device),
        temp=device.number("Temperature") or None,
        accepted=device.count("Accepted"),
        rejected=device.count("Rejected"),
    )


def _power(summary: Answer, chains: Answer) -> float | None:
    """W, where the firmware tells it; 0 is the word of those that cannot measure it."""
    boards = [chains.number(f"chain_consumption{number}") or 0 for number in range(1, MOST_BOARDS + 1)]
    return summary.number("Power") or sum(boards) or None


def _fans(chains: Answer) -> dict[str, Scalar]:
    speeds = [rpm for number in range(1, MOST_FANS + 1) if (rpm := chains.number(f"fan{number}"))]
    return {"fans": len(speeds), "fan_rpm": min(speeds)} if speeds else {}


def _expected(chains: Answer) -> dict[str, Scalar]:
    ideal = chains.number("total_rateideal")
    return {"expected": ideal * 1e9} if ideal else {}


def _faults(notes: Answer) -> str:
    """What `notify` has counted, device by device."""
    told: list[str] = []
    for device in notes.parts("NOTIFY"):
        counts = [(name.lstrip("*"), device.count(name) or 0) for name in device.names() if name.startswith("*")]
        bad = [f"{name} {count}" for name, count in counts if count]
        if bad:
            told.append(f"{device.text('Name')} {device.count('ID')}: {', '.join(bad)}")
    return "; ".join(told)[:512]


def _each_board(name: str, boards: float) -> list[Ask]:
    return [command(name, number) for number in range(max(1, int(boards)))]


def confirm(got: bytes) -> None:
    """BadAnswer when a command was refused; some say nothing at all, or plain text, before they restart."""
    try:
        told = read_json(got)
    except BadAnswer:
        return
    check(told)


ADAPTER = Adapter(
    asks=(command("summary+devs+pools"), command("stats"), command("version"), command("notify")),
    read=read,
    port=4028,
    optional=3,
    seldom=2,
    confirm=confirm,
    controls={
        "restart": (command("restart"),),
        "sleep": lambda boards: _each_board("ascdisable", boards),
        "wake": lambda boards: _each_board("ascenable", boards),
    },
)
