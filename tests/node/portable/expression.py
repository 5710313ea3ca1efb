"""Runs on CPython and MicroPython: expressions give what Python gives, and wrong ones are refused at their place."""
# ruff: noqa: PT017, PT018 (plain asserts: MicroPython has no pytest)

import math

from esp_node.expression import compiled
from schema.errors import Invalid


def value(expression, *values):
    fields = ("x",) if len(values) == 1 else ("a", "b", "c")
    return compiled(expression, fields, "e")[0](values)


RIGHT = (
    (["+", ["*", "x", 1.8], 32], (20.0,), 68.0),
    (["-", "a", ["neg", "b"]], (1, 2, 3), 3),
    (["+", "a", "b", "c", 10], (1, 2, 3), 16),
    (["*", "a", "b", "c"], (2, 3, 4), 24),
    (["/", "x", 4], (2,), 0.5),
    (["//", "x", 4], (-7,), -2),
    (["%", "x", 360], (-30,), 330),
    (["**", "x", 2], (3,), 9.0),
    (["min", "a", "b", "c"], (3, 1, 2), 1),
    (["max", "a", "b", "c"], (3, 1, 2), 3),
    (["abs", "x"], (-2.5,), 2.5),
    (["round", "x"], (2.6,), 3),
    (["floor", "x"], (-2.1,), -3),
    (["sqrt", "x"], (2.25,), 1.5),
    (["exp", "x"], (1,), math.e),
    (["log", "x"], (math.e,), 1.0),
    (["and", ["<", "a", "b"], ["<=", "b", 2], [">", "c", 2]], (1, 2, 3), True),
    (["or", [">", "a", "b"], [">=", "b", 5], ["==", "c", 3]], (1, 2, 3), True),
    (["or", [">", "a", "b"], ["!=", "c", 3]], (1, 2, 3), False),
    (["not", ["==", "x", 3]], (3,), False),
    (["if", [">", "x", 0], ["/", 1, "x"], 0], (0,), 0),  # the branch that is not taken is not calculated
    (["if", True, "x", ["/", 1, 0]], (5,), 5),
    (7, (1,), 7),
)
for expression, values, expected in RIGHT:
    result = value(expression, *values)
    assert abs(result - expected) < 1e-12 and isinstance(result, bool) == isinstance(expected, bool), expression
tested = set()
for expression, _, _ in RIGHT:
    stack = [expression]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            tested.add(item[0])
            stack += item[1:]


def refused(expression, message, fields=("x",)):
    try:
        compiled(expression, fields, "e")
    except Invalid as error:
        assert str(error).startswith(message), error
    else:
        raise AssertionError(expression)


try:
    compiled(["?"], ("x",), "e")
except Invalid as error:
    known = error.problem.split(": ")[1].split(" ")
assert tested == set(known), "no case of: %s" % (set(known) ^ tested)

refused(["?", "x"], "e.0: unknown operator; allowed: ")
refused([["+"], "x"], "e.0: unknown operator")
refused(["+", ["*", "x", "y"], 1], "e.1.2: unknown field; there are: x")
refused("x", "e: unknown field; there are: a, b", ("a", "b"))
refused(["-", "x"], "e: - takes 2, not 1 arguments")
refused(["abs", "x", 1], "e: abs takes 1, not 2 arguments")
refused(["+", 1, ["if", "x", 1]], "e.2: if takes 3, not 2 arguments")
refused([], "e: must be a number, a field, or")
refused(None, "e: must be")
refused({"+": 1}, "e: must be")
refused(["+", 1, float("nan")], "e.2: must be")
refused(["+", 1, [1, 2]], "e.2.0: unknown operator")
deep = "x"
for _ in range(17):
    deep = ["abs", deep]
refused(deep, "e" + ".1" * 16 + ": must be a number, a field, or [operator, ...] at most 16 deep")
assert value(deep[1], -3) == 3

assert compiled(["+", "c", ["*", "a", "c"]], ("a", "b", "c"), "e")[1] == [2, 0]  # what is read, once each
assert compiled("temp_c", ("temp_c",), "e")[0]((4,)) == compiled("x", ("temp_c",), "e")[0]((4,)) == 4
print("ok")
