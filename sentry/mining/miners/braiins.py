"""Braiins OS (BOSminer): the cgminer API, with commands of its own for what changes something."""

from dataclasses import replace

from sentry.mining.miners import cgminer

ADAPTER = replace(
    cgminer.ADAPTER,
    # Source: Braiins OS, "BOSminer API": pause stops hashing and cuts the power of the boards.
    controls={
        "restart": (cgminer.command("restart"),),
        "sleep": (cgminer.command("pause"),),
        "wake": (cgminer.command("resume"),),
    },
)
