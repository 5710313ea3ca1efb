"""A board in order waits for a lease."""

from sentry.boards.core import State


class Ready(State):
    shown = "ready"
