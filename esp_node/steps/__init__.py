"""One file is one step: NAME (that of the file), OPTIONS {option: default, `...` for required}, create(options, fields)
-> object with add(ts, value) that passes results on with emit(ts, value), and where the output differs from the input
describe(fields, units, digits, options) -> (fields, units, digits).

ts is ms since 1970 (int). A value is a number or a bool, or a tuple of them where several fields travel together; None
is "no value" and is skipped. Anything else (NaN, infinity, text) raises ValueError that names the step, and leaves the
step as it was. Methods of a step use nothing of its module: chains.py takes all that is there out of the heap after
the build.
"""

import sys


def names():
    """Names of all steps in this folder (sorted list of str)."""
    from esp_node import common

    return common.names(__path__)


def find(name):
    """The module of the step `name`, None when there is none."""
    if not isinstance(name, str) or not name.isalpha():
        return None
    full = "esp_node.steps." + name
    try:
        __import__(full)
    except ImportError:
        return None
    return sys.modules[full]
