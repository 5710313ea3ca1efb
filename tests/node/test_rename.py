"""The build's short names (rename.py, short_texts.py): a program does the same with them, and what others use keeps its
own."""

import ast
import os
import subprocess
from pathlib import Path

import pytest

from esp_node.build import compile_one
from esp_node.rename import renamed
from esp_node.rom_names import IN_ROM, SPECIAL
from esp_node.short_texts import unnamed
from esp_node.shorten import shortened
from tests.conftest import program
from tests.node.rig import UMQTT, Broker, Peer, Start, credential_config

pytestmark = pytest.mark.micropython

PARTS = {
    "esp_node.counters": '''
"""Counters."""
LIMIT = 3

class Counter:
    shared = 0

    def __init__(self, begin, step=1):
        self.total = begin
        self.step = step

    def advance(self, times=1):
        self.total += self.step * times
        return self.total

class Limited(Counter):
    def advance(self, times=1):
        self.total = min(super().advance(times=times), LIMIT)
        return self.total

def made(kind, **options):
    return {"limited": Limited, "plain": Counter}[kind](**options)
''',
    "esp_node.reports": """
from esp_node import counters
from esp_node.counters import Counter, made

def report(counter, title="total"):
    return "%s: %d%s" % (title, counter.total, "." if isinstance(counter, Counter) else "")

def lines():
    first = Counter(1, step=2)
    first.advance()
    second = counters.Limited(0)
    second.advance(times=9)
    return [report(first), report(second, title="limited"), hasattr(first, "shared"), sorted({"ü": 1, "plain": 2})]

def main():
    print(lines())
""",
}
OWN_SENSOR = """
from esp_node.clock import mono_ms, unix_ms
from esp_node.sensors._options import flag, take
from schema.errors import Invalid

NAME, FIELDS, UNITS, DIGITS = "own", ("age_ms", "is_set"), ("ms", ""), (0, 0)

class Own:
    def __init__(self, begin):
        self.begin = begin

    def get(self):
        return mono_ms() - self.begin, unix_ms() > 0

def create(node, options):
    given = take(options, {"on": ...})
    if not flag(given, "on"):
        raise Invalid("on", "must be true, for a test")
    return Own(mono_ms())
"""


def said(folder: Path, texts: dict[str, str]) -> str:
    for module, text in texts.items():
        compile_one(module, folder / f"{module.replace('.', '/')}.mpy", text)
    command = [str(program("micropython")), "-c", "from esp_node.reports import main; main()"]
    env = {**os.environ, "MICROPYPATH": str(folder)}
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_program_does_the_same_with_short_names(tmp_path: Path) -> None:
    short, taken = renamed(PARTS)
    assert taken <= set(IN_ROM)
    shorter = {module: shortened(unnamed(text, IN_ROM), taken) for module, text in short.items()}
    assert "advance" not in str(shorter)
    assert "'limited'" not in shorter["esp_node.reports"]
    plain = said(tmp_path / "plain", PARTS)
    assert plain == "['total: 3.', 'limited: 3.', True, ['plain', '\\xfc']]\n"
    assert said(tmp_path / "short", shorter) == plain


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def test_a_special_name_can_stand_for_whatever_a_class_in_a_function_uses(tmp_path: Path) -> None:
    text = "\n".join(
        f"def outer{i}({name}):\n class Inner:\n  def told(self):\n   return {name}\n return Inner().told()\n"
        f"if outer{i}({i}) != {i}:\n raise ValueError({i})"  # a build leaves assertions out
        for i, name in enumerate(SPECIAL)
    )
    compile_one("closures", tmp_path / "closures.mpy", text)
    command = [program("micropython") or "", "-c", "import closures"]
    environment = {**os.environ, "MICROPYPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_words_of_the_compiler_are_no_names() -> None:
    assert not {"const", "super", "self"} & {*IN_ROM, *SPECIAL}


def test_names_of_umqtt_stay() -> None:
    """link.py makes a class of its own out of it."""
    tree = ast.parse((UMQTT / "umqtt" / "simple.py").read_text())
    attributes = {part.attr for part in ast.walk(tree) if isinstance(part, ast.Attribute) and is_self(part.value)}
    given = [part.args for part in ast.walk(tree) if isinstance(part, ast.FunctionDef)]
    arguments = {each.arg for args in given for each in args.args[len(args.args) - len(args.defaults) :]}
    methods = {part.name for part in ast.walk(tree) if isinstance(part, ast.FunctionDef)}
    names = {name for name in attributes | arguments | methods if not name.startswith("_")}
    text = "from umqtt.simple import MQTTClient\nclass Own:\n" + "\n".join(f"    {name} = 1" for name in sorted(names))
    short, _ = renamed({"esp_node.own": text})
    assert short["esp_node.own"].split()[6:] == text.split()[6:]


def test_a_sensor_of_ones_own_runs_in_the_shipped_node(
    shipped_main: Path, broker: Broker, peer: Peer, start: Start
) -> None:
    own = shipped_main.parent / "esp_node" / "sensors" / "own.py"
    own.write_text(OWN_SENSOR)
    try:
        start(credential_config(broker.port, sensors={"own": {"on": True}}))
        assert peer.wait("tele/own", lambda data: data["age_ms"] > 0)["is_set"] is True
        assert peer.wait("self/info")["parts"]["own"] == {"age_ms": "ms", "is_set": ""}
    finally:
        own.unlink()
