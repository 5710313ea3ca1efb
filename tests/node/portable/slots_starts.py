"""Which slot starts, over many starts: no board needed, only folders and a machine module that tells reset causes."""

import json
import os
import sys


class Machine:
    WDT_RESET = 3
    DEEPSLEEP_RESET = 4
    cause = 1

    def reset_cause(self):
        return self.cause


sys.modules["machine"] = machine = Machine()
try:
    import slots  # as a board has it, beside main.py
except ImportError:
    from esp_node import slots

ROOT = f"/tmp/farmhand-slots-{int.from_bytes(os.urandom(6), 'big')}"
for folder in ("", "/lib", "/lib/esp_node", "/lib2", "/lib2/esp_node", "/home", "/home/esp_node"):
    os.mkdir(ROOT + folder)
PATH = list(sys.path)


def begin():
    """The slot that starts now."""
    sys.path[:] = [ROOT + "/home", ".frozen", "/lib", ROOT + "/lib"]
    assert slots.begin(ROOT + "/config.json") == ROOT + "/config.json"
    slot, rest = sys.path[0], sys.path[1:]
    sys.path[:] = PATH
    assert rest == [".frozen"], "the other slot's modules must not mix with these"
    assert os.getcwd() == (ROOT if slot else ROOT + "/home")
    return slot


def end(code=0, error=None, loaded=True):
    try:
        slots.end(ROOT + "/config.json", False, code, error, loaded)
    except SystemExit as leaving:
        return leaving.args[0]
    raise AssertionError("did not leave")


def state(**changes):
    with open(ROOT + "/slots.json") as file:
        value = json.load(file)
    if changes:
        value.update(changes)
        with open(ROOT + "/slots.json", "w") as file:
            json.dump(value, file)
    return value


def thrown(kind, *what):
    try:
        raise kind(*what)
    except BaseException as error:
        return error


if not hasattr(sys, "print_exception"):
    sys.print_exception = lambda error: None

# A first start takes what mip or `flash` installed. Confirmed, it writes no more, and the next is a fresh one.
assert begin() == "lib"
assert state()["run"] == 1
state(run=0)
at = os.stat(ROOT + "/slots.json")
assert end() == 0
assert os.stat(ROOT + "/slots.json")[1] == at[1], "nothing was written, so it is the same file"

# Three starts that nobody confirmed: safe mode, until a start ends well.
for crashes in (0, 1, 2, 3):
    assert begin() == "lib"
    assert state()["crashes"] == crashes
assert end() == 0
begin()
assert state()["crashes"] == 0

# Exceptions, a full heap and the watchdog count in one row; Ctrl-C, `restart` and deep sleep do not.
assert end(1, thrown(RuntimeError, "pin 4")) == 1
assert state()["why"] == "RuntimeError: pin 4"
begin()
assert end(4) == 4
begin()
state(run=0)
machine.cause = machine.WDT_RESET
begin()
assert (state()["crashes"], state()["why"]) == (3, "the watchdog bit")
state(run=0)
machine.cause = machine.DEEPSLEEP_RESET
before = os.stat(ROOT + "/slots.json")[1]
for _ in range(5):
    assert begin() == "lib"
assert os.stat(ROOT + "/slots.json")[1] == before, "a wake-up writes nothing"
machine.cause = 1
begin()
assert state()["crashes"] == 0, "the start before was confirmed and did not crash"
assert end(1, thrown(KeyboardInterrupt)) == 0
begin()
assert state()["crashes"] == 0
for code in (2, 3):  # a person's mistake is no crash
    assert end(code) == code
    begin()
    assert state()["crashes"] == 0

# A trial has three starts; then the good one is back and the reason kept for the commander.
state(trial="lib2", run=0, rev=7)
for _ in range(3):
    assert begin() == "lib2"
    assert end(1, thrown(ImportError, "no module"), False) == 1
assert begin() == "lib"
assert state()["failed"] == [7, "ImportError: no module"]
assert state()["trial"] is None
assert state()["crashes"] == 0
for ending in (lambda: end(0), lambda: end(3), lambda: None):
    state(trial="lib2", run=0, rev=8, why="")
    for _ in range(3):
        assert begin() == "lib2"
        ending()
    assert begin() == "lib"
    assert state()["failed"][0] == 8
state(trial="lib3", run=0, rev=9)
assert begin() == "lib"
assert state()["failed"] == [9, "its folder is missing"]
state(trial="lib2", run=0)
assert begin() == "lib2"
state(good="lib2", trial=None, run=0)
assert begin() == "lib2", "confirmed"

# A good slot that cannot be read: after three starts the other one, should it be there.
state(run=0)
for _ in range(3):
    assert begin() == "lib2"
    end(1, thrown(ImportError, "no module"), False)
assert begin() == "lib"

# Anything may be in slots.json, or none; slots may be missing; the modules beside main.py are the last resort.
for garbage in ("", "{", "[]", "7", '{"good": 3}', '{"good": "/etc", "crashes": 0, "run": "x"}', '{"crashes": null}'):
    with open(ROOT + "/slots.json", "w") as file:
        file.write(garbage)
    assert begin() == "lib", garbage
os.rmdir(ROOT + "/lib/esp_node")
assert begin() == ""
assert end() == 0
os.remove(ROOT + "/slots.json")
os.mkdir(ROOT + "/slots.json")  # a flash that takes no writing
assert begin() == ""
assert end(1, thrown(ValueError, "x")) == 1

os.chdir("/")
assert os.system("rm -r " + ROOT) == 0
print("ok")
