"""Runs on CPython and MicroPython: argument is a JSON file of cases {step, options, fields, given, expected, close};
each is run as it is, then with "no value" and with garbage before every value, which must change nothing but raise.

given: [ts, value] or, for several inputs, [ts, value, input]; expected: [ts, value]. Fields: a list, or one per input.
"""
# ruff: noqa: B905, PT017, PT018, UP031 (plain asserts: MicroPython has no pytest)

import json
import sys

from esp_node import steps

GARBAGE = (float("nan"), float("inf"), float("-inf"), "text", [1])


def plain(value):
    return list(value) if isinstance(value, tuple) else value


def same(ours, expected, close):
    if isinstance(expected, list):
        return isinstance(ours, tuple) and len(ours) == len(expected) and all(map(same, ours, expected, [close] * 99))
    if isinstance(expected, float) and close:
        return abs(ours - expected) <= close * max(1, abs(expected))
    return ours == expected and isinstance(ours, bool) == isinstance(expected, bool)


def run(case, disturbances):
    several = isinstance(case["fields"][0], list)
    fields = [tuple(one) for one in case["fields"]] if several else tuple(case["fields"])
    step = steps.find(case["step"]).create(case["options"], fields)
    out, raised = [], 0
    step.emit = lambda ts, value: out.append((ts, value))
    for item in case["given"]:
        call = step.port(item[2]) if several else step.add
        value = tuple(item[1]) if isinstance(item[1], list) else item[1]
        for wrong in disturbances:
            before = len(out)
            width = len(value) if isinstance(value, tuple) else 0
            try:
                call(item[0], (wrong,) * width if width else wrong)
            except ValueError as error:
                assert str(error).startswith(case["step"] + ": "), error
                raised += 1
            assert len(out) == before, "%r passed" % (wrong,)
        call(item[0], value)
    assert raised == len(case["given"]) * sum(1 for wrong in disturbances if wrong is not None), raised
    return out


with open(sys.argv[1]) as file:
    cases = json.load(file)
for case in cases:
    for disturbances in ((), (None,), GARBAGE):
        out = run(case, disturbances)
        expected = case["expected"]
        assert len(out) == len(expected), (case["step"], case["options"], out, expected)
        for ours, wanted in zip(out, expected):
            assert ours[0] == wanted[0] and same(ours[1], wanted[1], case["close"]), (case["step"], ours, wanted)
print("ok")
