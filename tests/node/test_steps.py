"""Every file of esp_node/steps/ on both interpreters: known inputs, nothing for long, garbage, and wrong options."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from esp_node import steps
from schema.errors import Invalid
from tests.conftest import ROOT, program
from tests.node.step_cases import CASES, WRONG

RUNNER = Path(__file__).parent / "board" / "steps.py"


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
@pytest.mark.parametrize("name", steps.names())
def test_step(name: str, interpreter: str, node_main: Path, tmp_path: Path) -> None:
    assert CASES.get(name), f"step_cases.py has no case of {name}"
    cases = [
        {"step": name, "options": options, "fields": fields, "given": given, "expected": expected, "close": 1e-9}
        for options, fields, given, expected in CASES[name]
    ]
    path = tmp_path / "cases.json"
    for case in cases:  # one by one: all at once would not fit into the heap beside the step
        path.write_text(json.dumps([case]))
        if interpreter == "cpython":
            argv, env = [sys.executable, str(RUNNER)], {**os.environ, "PYTHONPATH": str(ROOT)}
        else:
            micropython = program("micropython")
            assert micropython
            argv = [str(micropython), "-X", "heapsize=64k", str(RUNNER)]
            env = {**os.environ, "MICROPYPATH": str(node_main.parent)}
        done = subprocess.run([*argv, str(path)], env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout == "ok\n", f"{case['options']}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("name", steps.names())
def test_module_says_what_it_is(name: str) -> None:
    module = steps.find(name)
    assert name == module.NAME
    fields = (("a",), ("b",)) if name == "join" else ("x",)
    for options, *_ in CASES[name]:
        assert set(options) <= set(module.OPTIONS)
        assert {option for option, default in module.OPTIONS.items() if default is ...} <= set(options)
    assert WRONG.get(name), f"step_cases.py has no wrong options of {name}"
    for options, message in WRONG[name]:
        with pytest.raises(Invalid) as caught:
            module.create(options, fields)
        assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", [name for name in steps.names() if hasattr(steps.find(name), "describe")])
def test_output_is_described(name: str) -> None:
    """As many fields, units and digits as the values that come out."""
    for options, fields, _, expected in CASES[name]:
        width = len(expected[0][1]) if isinstance(expected[0][1], list) else 1
        described = steps.find(name).describe(tuple(fields), ("",) * len(fields), (1,) * len(fields), options)
        assert [len(part) for part in described] == [width] * 3
