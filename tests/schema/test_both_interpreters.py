"""One corpus of payloads, judged by CPython and by the real MicroPython: the same verdicts."""

import subprocess
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, given, settings

from schema import wire
from schema.message import Invalid, Message
from schema.messages import MESSAGES
from tests.conftest import ROOT, program
from tests.schema.strategies import payloads

EXAMPLES = 25  # for each message, and MUTANTS of each, which are cheaper
MUTANTS = 3


def examples(message: Message, random: Random) -> list[bytes]:
    found: list[bytes] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
    )
    @given(payload=payloads(message))
    def collect(payload: bytes) -> None:
        found.append(payload)

    collect()
    return found + [mutant(payload, random) for payload in found for _ in range(MUTANTS)]


def mutant(payload: bytes, random: Random) -> bytes:
    at = random.randint(0, len(payload))
    return (
        payload[:at]
        + random.choice([b"", b"0", b"}", b'"', random.randbytes(1)])
        + payload[at + random.randint(0, 2) :]
    )


def corpus() -> list[tuple[str, bytes]]:
    random = Random(7)
    return [(key, payload) for key, message in MESSAGES.items() for payload in examples(message, random)]


def verdict(key: str, payload: bytes) -> str:
    try:
        wire.decode(MESSAGES[key], payload)
    except Invalid as error:
        return f"invalid {error.field}"
    return "valid"


@pytest.mark.micropython
def test_the_same_verdicts(tmp_path: Path) -> None:
    cases = corpus()
    file = tmp_path / "cases"
    file.write_text("".join(f"{key} {payload.hex()}\n" for key, payload in cases))
    interpreter = program("micropython")
    assert interpreter
    ran = subprocess.run(
        [interpreter, "-X", "heapsize=16m", "tests/schema/board.py", file],
        cwd=ROOT,
        env={"MICROPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    theirs = ran.stdout.splitlines()
    assert len(theirs) == len(cases)
    differ: list[str] = []
    kinds: Counter[str] = Counter()
    for (key, payload), board in zip(cases, theirs, strict=True):
        ours = verdict(key, payload)
        kinds[ours.partition(" ")[0]] += 1
        if ours == "invalid payload":  # its JSON reader forgives some commas
            agreed = board.startswith(("valid", "invalid "))
        elif ours.startswith("invalid"):  # of several wrong fields, either may be met first
            agreed = board.startswith("invalid ")
        else:
            agreed = board == ours
        if not agreed:
            differ.append(f"{key} {payload!r}: CPython {ours}, MicroPython {board}")
    assert not differ, "\n".join(differ[:10])
    assert len(cases) > 1_500
    assert min(kinds["valid"], kinds["invalid"]) > len(cases) / 20, kinds
