"""Every message of the farm, by its key, whichever system declares it."""

from schema import boards, fleet, mining

MESSAGES = dict(fleet.MESSAGES)
MESSAGES.update(mining.MESSAGES)
MESSAGES.update(boards.MESSAGES)
