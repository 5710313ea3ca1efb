"""Expressions as data, in prefix form: ["+", ["*", "x", 1.8], 32]. Compiled to closures, without eval; loaded while
chains are built.

A number, true or false stands for itself, a text for a field; "x" is the value where there is one field only.
Operators: + - * / // % ** min max (two arguments; + * min max and or: two or more), neg abs round floor sqrt exp log
not (one), < <= > >= == != (two), and or (as in Python), if (condition, then, else).
"""

import math

from schema.errors import Invalid

_DEEPEST = 16


def compiled(expression, fields, path):
    """(function of the tuple of values, places of the fields that it uses). Invalid names the place below `path`."""
    used = []
    return _compiled(expression, tuple(fields), path, used, _operators(), _DEEPEST), used


def _compiled(expression, fields, path, used, operators, depth):
    kind = type(expression)
    if kind is bool or kind is int or (kind is float and expression - expression == 0):
        return lambda values: expression
    if kind is str:
        if expression not in fields and not (expression == "x" and len(fields) == 1):
            raise Invalid(path, "unknown field; there are: " + ", ".join(fields))
        place = fields.index(expression) if expression in fields else 0
        if place not in used:
            used.append(place)
        return lambda values: values[place]
    if kind is not list or not expression or depth == 0:
        raise Invalid(path, "must be a number, a field, or [operator, ...] at most %d deep" % _DEEPEST)
    known = operators.get(expression[0]) if type(expression[0]) is str else None
    if known is None:
        raise Invalid(path + ".0", "unknown operator; allowed: " + " ".join(sorted(operators)))
    least, more, function = known
    count = len(expression) - 1
    if count < least or (count > least and not more):
        wanted = "%s takes %d%s" % (expression[0], least, " or more" if more else "")
        raise Invalid(path, "%s, not %d arguments" % (wanted, count))
    given = []
    for i in range(1, count + 1):
        given.append(_compiled(expression[i], fields, "%s.%d" % (path, i), used, operators, depth - 1))
    result = given[0]
    if function is None:
        return _if(*given)
    if least == 1:
        return lambda values: function(result(values))
    for following in given[1:]:
        result = _lazy(function, result, following) if function in ("and", "or") else _pair(function, result, following)
    return result


def _pair(function, a, b):
    return lambda values: function(a(values), b(values))


def _lazy(word, a, b):
    if word == "and":
        return lambda values: a(values) and b(values)
    return lambda values: a(values) or b(values)


def _if(condition, a, b):
    return lambda values: a(values) if condition(values) else b(values)


def _operators():
    """{operator: (arguments, whether it takes more, function)}; made anew each time, so that only those in use stay in
    the heap."""
    return {
        "+": (2, True, lambda a, b: a + b),
        "-": (2, False, lambda a, b: a - b),
        "*": (2, True, lambda a, b: a * b),
        "/": (2, False, lambda a, b: a / b),
        "//": (2, False, lambda a, b: a // b),
        "%": (2, False, lambda a, b: a % b),
        "**": (2, False, lambda a, b: float(a) ** b),  # whole numbers would grow without end
        "min": (2, True, min),
        "max": (2, True, max),
        "neg": (1, False, lambda a: -a),
        "abs": (1, False, abs),
        "round": (1, False, round),
        "floor": (1, False, lambda a: int(a // 1)),
        "sqrt": (1, False, math.sqrt),
        "exp": (1, False, math.exp),
        "log": (1, False, math.log),
        "<": (2, False, lambda a, b: a < b),
        "<=": (2, False, lambda a, b: a <= b),
        ">": (2, False, lambda a, b: a > b),
        ">=": (2, False, lambda a, b: a >= b),
        "==": (2, False, lambda a, b: a == b),
        "!=": (2, False, lambda a, b: a != b),
        "not": (1, False, lambda a: not a),
        "and": (2, True, "and"),
        "or": (2, True, "or"),
        "if": (3, False, None),
    }
