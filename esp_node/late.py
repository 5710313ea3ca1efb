"""Modules that are needed rarely, and all of `schema`: loaded for one call and then taken out of
the heap again."""

import gc
import sys

_LATE = (
    "esp_node.verify", "esp_node.control", "esp_node.settings", "esp_node.birth", "esp_node.start",
    "esp_node.config", "esp_node.enrol", "schema.tokens", "schema.text", "schema.mac", "schema.judge", "schema.pack",
    "schema.unpack",
)  # fmt: skip


def call(module, function, *arguments):
    """module.function(*arguments); the module and what it loaded are forgotten afterwards. Nothing
    that is kept may refer to them."""
    gc.collect()
    try:
        __import__(module)
        return getattr(sys.modules[module], function)(*arguments) if function else None
    finally:
        _forget()
        gc.collect()


def warm(*modules):
    """Load and forget each module once, while the heap is empty: the names it brings stay for
    ever, and shall stay in one place."""
    for module in modules:
        call(module, None)


def _forget():
    # Runs when the heap is full, too: nothing here allocates more than a few bytes.
    for name in _LATE:
        if name in sys.modules:
            sys.modules[name] = None  # the slot of a removed name would still refer to its value
            del sys.modules[name]
        package, _, attribute = name.partition(".")
        if package in sys.modules and hasattr(sys.modules[package], attribute):
            setattr(sys.modules[package], attribute, None)
            delattr(sys.modules[package], attribute)
