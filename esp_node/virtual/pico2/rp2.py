"""A state machine of the PIO. Its program runs instruction by instruction on a few edges, to see what it does with one;
the rest of the edges that the circuit gave meanwhile are then reckoned."""

import time

import door

_ALL = 0xFFFFFFFF
_NAMES = {"pin": "pin", "x_dec": "x_dec", "x": "x", "isr": "isr", "null": "null", "invert": lambda name: "~" + name}
_PROBES = 4


class _Program:
    """What stands in a function that @asm_pio() decorates."""

    def __init__(self):
        self.steps = []
        self.labels = {}

    def read(self, function):
        words = function.__globals__
        before = words.copy()
        words.update(_NAMES)
        words.update({"label": self.label, "wait": self.wait, "jmp": self.jmp})
        try:
            function()
        finally:
            words.clear()
            words.update(before)
        return self

    def label(self, name):
        self.labels[name] = len(self.steps)

    def wait(self, level, source, index):
        self.steps.append(("wait", level, source, index))

    def jmp(self, condition, label):
        self.steps.append(("jmp", condition, label))


def asm_pio():
    return _Program().read


class StateMachine:
    def __init__(self, number, program, in_base):
        if not 0 <= number < 12:
            raise ValueError("invalid StateMachine")
        self._program = program
        self._x = self._isr = 0
        self._fifo = []
        self._start = None
        self.restart()

    def restart(self):
        self._at = 0

    def exec(self, text):
        exec(text, dict(_NAMES, mov=self._mov, push=lambda: self._fifo.append(self._isr)))

    def get(self):
        return self._fifo.pop(0)

    def active(self, on):
        if on:
            self._start = time.ticks_us()
            return
        elapsed = time.ticks_diff(time.ticks_us(), self._start)
        rises = (door.ask("rises")["each_s"] * elapsed + 500000) // 1000000
        before = self._x
        self.run([0, 0, 1, 1] * _PROBES)
        self._x = before + (self._x - before) * rises // _PROBES & _ALL

    def run(self, levels):
        """One instruction a cycle; `levels`: of the pin, by cycle."""
        for level in levels:
            step = self._program.steps[self._at]
            if step[0] == "wait":
                self._at += step[2:] == ("pin", 0) and step[1] == level
            elif step[1] == "x_dec":
                self._at = self._program.labels[step[2]] if self._x else self._at + 1
                self._x = self._x - 1 & _ALL
            self._at %= len(self._program.steps)

    def _mov(self, to, source):
        inverted, name = source.startswith("~"), source.lstrip("~")
        value = {"x": self._x, "isr": self._isr, "null": 0}[name] ^ (_ALL if inverted else 0)
        setattr(self, "_" + to, value)
