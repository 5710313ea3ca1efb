"""Which slot's software starts, and what became of the starts before. Beside main.py, loaded before and after the node.

State is slots.json beside config.json: {"good": slot, "trial": slot or null, "run", "crashes", "why", ...}. A slot is
`lib` or `lib2` beside config.json, or "": the modules beside main.py. run: 1 this start is not confirmed yet, 0 it is
or it ended well, 2 it crashed. A trial that is not confirmed in three starts is given up, and the reason kept as
`failed`; three crashes in a row of a good slot make the node start in safe mode (guard.py).
"""

import json
import os
import sys

_CRASHES = 3
_PAUSE_MOST_S = 3600


def begin(config):
    """Pick the slot, and make it the head of sys.path. Returns the absolute path of the file `config`."""
    if sys.path[0] and config[0] != "/":  # a board's paths are below its root anyhow
        config = (os.getcwd() + "/" + config).replace("//", "/")
    root = config[: config.rfind("/") + 1]
    home = sys.path[0] or root
    state = _read(root)
    cause, sleeping = _cause()
    if not sleeping:
        run = state.get("run")
        if run == 1:
            _crashed(state, cause or state.get("why") or "a start did not get as far as the broker")
        elif run == 0 and cause:
            _crashed(state, cause)
        elif run == 0:
            state.update({"crashes": 0, "why": ""})
        trial = state.get("trial")
        if trial and (state["crashes"] >= _CRASHES or not _holds(root, home, trial)):
            state["failed"] = [state.get("rev", 0), state.get("why") or "its folder is missing"]
            state.update({"trial": None, "crashes": 0})
        if not _holds(root, home, state.get("good")):
            state["good"] = "lib" if _holds(root, home, "lib") else ""
        state["run"] = 1
        _write(root, state)
    slot = state.get("trial") or state.get("good", "")
    # The name of each file stays in the heap, so it shall not begin with a long path.
    if home:
        os.chdir(root if slot else home)
    sys.path[:] = [slot] + [path for path in sys.path[1:] if path not in ("/lib", root + "lib", root + "lib2")]
    return config


def end(config, board, code, error, loaded):
    """The node ended with exit code `code`, or with the exception `error`; `loaded`: its modules could be read. Leaves
    the interpreter, or resets the board; Ctrl-C and what a person must mend (codes 2 and 3) give the board's prompt."""
    root = config[: config.rfind("/") + 1]
    state = _read(root)
    slot = state.get("trial") or state.get("good")
    why = None
    if isinstance(error, KeyboardInterrupt):
        code = 0
    elif isinstance(error, SystemExit):
        code = error.args[0] if error.args else 0
    elif error is not None:
        sys.print_exception(error)
        why = "%s: %s" % (type(error).__name__, error)
    elif code == 4:
        why = "the heap was full"
    elif code not in (0, 5) and state.get("trial"):
        why = "it ended with code %d" % code
    if why:
        _crashed(state, why)
        state["run"] = 2
        other = "lib" if slot == "lib2" else "lib2"
        if not loaded and not state.get("trial") and state["crashes"] >= _CRASHES and _holds(root, "", other):
            state["good"] = other  # this one cannot even be read
        _write(root, state)
    elif state.get("trial") and error is None:
        pass  # not confirmed: that counts
    elif state.get("run") == 1 or (state.get("run") == 0 and state["crashes"]):
        state.update({"run": 0, "crashes": 0})
        _write(root, state)
    if not board:
        sys.exit(code)
    if error is None and code in (2, 3) or isinstance(error, KeyboardInterrupt):
        print("main: stopped; Ctrl-D starts it again")
        return
    import time

    import machine

    time.sleep(min(_PAUSE_MOST_S, 1 << min(12, state["crashes"])))
    machine.reset()


def _cause():
    # (what to call the reset, if it was a crash; whether the board was in deep sleep)
    try:
        import machine

        cause = machine.reset_cause()
        names = [getattr(machine, name, None) for name in ("WDT_RESET", "DEEPSLEEP_RESET")]
        return "the watchdog bit" if cause == names[0] else None, cause == names[1]
    except Exception:  # no board, or one that does not tell
        return None, False


def _crashed(state, why):
    state["crashes"] += 1
    state["why"] = why[:100]


def _holds(root, home, slot):
    try:
        os.stat((root + slot if slot else home) + "/esp_node")
        return slot in ("", "lib", "lib2")
    except (OSError, TypeError):
        return False


def _read(root):
    try:
        with open(root + "slots.json") as file:
            state = json.load(file)
        state["crashes"] += 0
        return state
    except Exception:  # none yet, or garbage
        return {"good": "lib", "trial": None, "run": 0, "crashes": 0, "why": ""}


def _write(root, state):
    try:
        with open(root + "slots.json.new", "w") as file:
            json.dump(state, file)
        os.rename(root + "slots.json.new", root + "slots.json")
    except OSError as error:  # full or broken flash shall not keep the node from starting
        print("main: slots.json: %s" % error)
