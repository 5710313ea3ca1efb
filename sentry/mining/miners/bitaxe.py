"""Bitaxe and its kin (ESP-Miner, AxeOS): `GET /api/system/info`.

Hash rates are in GH/s, power in W. Only `restart` is told to it: frequency and voltage are for its owner.
"""

from collections.abc import Sequence

from sentry.mining.answer import Answer
from sentry.mining.figures import Algorithm, Card, Figures
from sentry.mining.miners import Adapter, BadAnswer, Http
from sentry.mining.repair import read as read_json
from sentry.reading import Scalar

GH = 1e9


def read(answers: Sequence[bytes]) -> Figures:
    """Source: ESP-Miner's openapi.yaml and a real answer (tests/mining/recorded/bitaxe)."""
    told = read_json(answers[0])
    if "hashRate" not in told and "ASICModel" not in told:
        raise BadAnswer("hashRate", "missing: it is no Bitaxe")
    rate = told.number("hashRate")
    spare = bool(told.number("isUsingFallbackStratum"))
    host, port, user = _pool(told, "fallbackStratum" if spare else "stratum")
    algorithm = Algorithm(
        name="sha256",
        hashrate=None if rate is None else rate * GH,
        accepted=told.count("sharesAccepted"),
        rejected=told.count("sharesRejected"),
        pool=f"{host}:{port}" if host and port else host,
        user=user,
        difficulty=told.number("poolDifficulty") or told.number("stratumDiff"),
    )
    chip = Card(
        name=told.text("ASICModel"),
        hashrate=algorithm.hashrate,
        temp=told.number("temp"),
        fan=told.number("fanspeed"),
        fan_rpm=told.number("fanrpm"),
        power=told.number("power"),
        core_mhz=told.number("frequency"),
    )
    extra: dict[str, Scalar] = {
        "model": " ".join(filter(None, ("Bitaxe", told.text("boardVersion"), told.text("ASICModel")))),
        "firmware": told.text("version"),
        "fault": _faults(told),
        "vr_temp": told.number("vrTemp"),
        "fan_rpm": told.number("fanrpm"),
        "wifi_rssi": told.number("wifiRSSI"),
    }
    expected = told.number("expectedHashrate")
    if expected:
        extra["expected"] = expected * GH
    return Figures(
        "axeos",
        told.text("axeOSVersion") or told.text("version"),
        told.count("uptimeSeconds"),
        (algorithm,),
        (chip,),
        told.number("power"),
        paused=told.flag("miningPaused"),
        extra=extra,
    )


def _pool(told: Answer, begin: str) -> tuple[str, int | None, str]:
    return told.text(f"{begin}URL"), told.count(f"{begin}Port"), told.text(f"{begin}User")


def _faults(told: Answer) -> str:
    found = ["overheated: it runs slower"] if told.number("overheat_mode") else []
    found += [fault] if (fault := told.text("power_fault")) else []
    found += [f"rejected: {each.text('message')}" for each in told.parts("sharesRejectedReasons")]
    return "; ".join(found)[:512]


ADAPTER = Adapter(
    asks=(Http("/api/system/info"),),
    read=read,
    port=80,
    controls={"reboot": (Http("/api/system/restart", "POST"),)},
)
