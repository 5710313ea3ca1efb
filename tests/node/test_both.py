"""Each file of portable/ on both interpreters; MicroPython with the heap that the node has. A file that begins with an
underscore is what others share: both interpreters look for it beside the script."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.pack import pack
from schema.unpack import unpack
from tests.conftest import ROOT, program

PORTABLE = sorted((Path(__file__).parent / "portable").glob("[!_]*.py"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=40), inner, max_size=20),
    max_leaves=30,
)


@given(VALUES)
def test_pack_writes_the_bytes_of_msgpack_and_reads_them(value: Any) -> None:
    expected: Any = msgpack.packb(value)
    assert pack(value) == expected
    assert unpack(expected) == value


def _vectors(path: Path) -> Path:
    dice = random.Random(7)
    edges = [2**n + d for n in (5, 7, 8, 15, 16, 31, 32, 62) for d in (-1, 0, 1)]
    values: list[Any] = [
        None,
        True,
        False,
        "",
        "ä" * 20,
        "x" * 40,
        "y" * 300,
        [],
        {},
        [1] * 20,
        *edges,
        *(-e for e in edges),
    ]
    values += [dice.randrange(-(2**40), 2**40) / 8 for _ in range(50)]
    values += [[dice.choice(values) for _ in range(dice.randrange(20))] for _ in range(30)]
    values += [{f"k{i}": dice.choice(values[:40]) for i in range(dice.randrange(5))} for _ in range(30)]
    path.write_text("".join(json.dumps([v, msgpack.packb(v).hex()]) + "\n" for v in values))
    return path


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
@pytest.mark.parametrize("script", PORTABLE, ids=lambda path: path.stem)
def test_portable(script: Path, interpreter: str, node_main: Path, tmp_path: Path) -> None:
    arguments = [str(_vectors(tmp_path / "vectors"))] if script.stem == "pack_vectors" else []
    if interpreter == "cpython":
        argv, env = [sys.executable, str(script)], {**os.environ, "PYTHONPATH": str(ROOT)}
    else:
        argv, env = (
            [program("micropython") or "", "-X", "heapsize=64k", str(script)],
            {**os.environ, "MICROPYPATH": str(node_main.parent)},
        )
    done = subprocess.run([*argv, *arguments], env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.endswith("ok\n"), done.stdout + done.stderr
