"""Modules that are needed rarely: loaded for one call and then taken out of the heap again."""

import gc
import sys


def call(module, function, *arguments):
    """module.function(*arguments) of this package; what it loaded in `schema` for itself alone, it names in ALONE."""
    full = "esp_node." + module
    try:
        __import__(full)
        return getattr(sys.modules[full], function)(*arguments)
    finally:
        for name in getattr(sys.modules.get(full), "ALONE", ()) + (full,):
            _forget(name)
        gc.collect()


def _forget(name):
    # A package keeps each module of it as an attribute too.
    if sys.modules.pop(name, None):
        package, _, attribute = name.partition(".")
        if hasattr(sys.modules[package], attribute):
            delattr(sys.modules[package], attribute)
