"""What sensors and steps have in common: how a folder of them is listed, and checks of their options, where Invalid
names the option. One module, because each costs a board its names for ever; loaded late.
"""

import os
import sys

from schema.errors import Invalid


def names(path):
    """Names of the modules in a package with this __path__, sorted; without those that begin with an underscore."""
    found = set()
    for file in os.listdir(path if isinstance(path, str) else path[0]):  # CPython has a list
        name, _, ending = file.partition(".")
        if ending in ("py", "mpy") and not name.startswith("_"):
            found.add(name)
    return sorted(found)


def take(options, known):
    """The dict `known` {name: default} with `options` filled in; a default of `...` must be given."""
    for name in options:
        if name not in known:
            raise Invalid(name, "unknown option; allowed: " + (", ".join(sorted(known)) or "none"))
    taken = dict(known)
    taken.update(options)
    for name in taken:
        if taken[name] is ...:
            raise Invalid(name, "must be given")
    return taken


def flag(options, name):
    """The option `name`, true or false."""
    if not isinstance(options[name], bool):
        raise Invalid(name, "must be true or false")
    return options[name]


def empty(*names):
    """Empty the modules with these full names; one with a dot at its end stands for all that is below. Their functions
    go on without them, but would keep all that stands there, and what it imports, in the heap."""
    if sys.implementation.name == "micropython":
        for name in sys.modules:  # numbers among them, see late.py
            below = str(name).rpartition(".")[0] + "."
            if (name in names or below in names) and hasattr(sys.modules[name], "__dict__"):
                sys.modules[name].__dict__.clear()
