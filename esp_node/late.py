"""Modules of this package that are needed rarely: loaded for one call and then taken out of the heap again."""

import gc
import sys


def call(module, function, *arguments):
    """esp_node.<module>.function(*arguments); the module and all that it loaded are forgotten afterwards. Objects made
    meanwhile live on. Without a `function` it is only loaded once, so that the names it brings are there.
    """
    gc.collect()
    known = list(sys.modules)
    module = "esp_node." + module
    try:
        __import__(module)
        return getattr(sys.modules[module], function)(*arguments) if function else None
    finally:
        _forget(known)
        gc.collect()


def chain(*step):
    """call(*step), and then the call that it returns as a tuple, and so on: of a long way only one part is in the
    heap.
    """
    while step:
        step = call(*step)


def _forget(known):
    # Runs when the heap is full, too: nothing here allocates more than a few bytes.
    while True:
        for name in sys.modules:
            if name not in known:
                break
        else:
            return
        sys.modules[name] = None  # the slot of a removed name would still refer to its value
        del sys.modules[name]
        package, _, attribute = name.rpartition(".")
        if package in sys.modules and hasattr(sys.modules[package], attribute):
            setattr(sys.modules[package], attribute, None)
            delattr(sys.modules[package], attribute)
