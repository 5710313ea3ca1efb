"""What a board can be doing: one file each. `load_kinds` imports all, and those of people's own packages; core.py
(beside this folder) says what a state is.
"""

import importlib
import logging
import pkgutil
from importlib import metadata

log = logging.getLogger(__name__)

GROUP = "farmhand.board_states"


def load_kinds() -> None:
    """Have every state that can be reserved in core.KINDS. One that cannot be imported is left out, and logged."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    for entry in metadata.entry_points(group=GROUP):
        try:
            entry.load()
        except Exception:  # anybody's code
            log.exception("the state %s (%s) cannot be loaded", entry.name, entry.value)
