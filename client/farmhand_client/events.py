"""What boards and reservations tell, for handlers of one's own.

    class Mine(AbstractEventHandler):
        @register("failure", "serial", "problem")
        def failed(self, serial, problem):
            ...

    client.add_event_handler(Mine(client.server))

Events: initialized, failure, well-again, ending-soon, ended, extended, results, available (a board is free now, and
`amount` are in all), and whatever a state of one's own tells. Each handler gets them in their order, in a thread of the
client's; with an Async client in its event loop.
"""

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Work = TypeVar("Work", bound=Callable[..., Any])

OTHER_NAMES = {
    "reservation ending soon": "ending-soon",
    "reservation end": "ended",
    "devices_available": "available",
}


@dataclass(frozen=True, slots=True)
class Event:
    """``contents`` has `serial` too."""

    serial: str
    event: str
    contents: dict[str, Any]


def register(event: str, *arguments: str) -> Callable[[Work], Work]:
    """Have a method of a handler called for this event, with these of its contents. An event without one of them is
    not for it."""

    def decorate(work: Work) -> Work:
        vars(work)["farmhand_event"] = (OTHER_NAMES.get(event, event), arguments)
        return work

    return decorate


class AbstractEventHandler:
    """Methods with `register`; one that overrides such a method is called instead of it."""

    def __init__(self, event_server: "EventServer") -> None:
        self.event_server = event_server
        self._methods: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for base in reversed(type(self).__mro__):
            for name, attribute in vars(base).items():
                if given := getattr(attribute, "farmhand_event", None):
                    event, arguments = given
                    known = [each for each in self._methods.get(event, []) if each[0] != name]
                    self._methods[event] = [*known, (name, arguments)]

    def handle_event(self, event: Event) -> list[Any]:
        """What the methods for this event returned."""
        found: list[Any] = []
        for name, arguments in self._methods.get(event.event, []):
            if all(argument in event.contents for argument in arguments):
                found.append(getattr(self, name)(*(event.contents[argument] for argument in arguments)))
        return found

    def hears(self, event: str) -> bool:
        """Whether a method of it is registered for this event."""
        return event in self._methods

    def exit(self) -> None:
        """The client is closed."""


class EventServer:
    """Gives each event to all handlers, in the order in which they were added."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger
        self.handlers: list[AbstractEventHandler] = []

    def add_event_handler(self, handler: AbstractEventHandler) -> None:
        self.handlers.append(handler)

    async def handle_event(self, event: Event) -> None:
        """A handler that fails is logged, and disturbs nobody else."""
        for handler in list(self.handlers):
            try:
                for answer in handler.handle_event(event):
                    if inspect.isawaitable(answer):
                        await answer
            except Exception:  # anybody's code
                self.logger.exception("%s failed at the event %s", type(handler).__name__, event.event)

    def exit(self) -> None:
        for handler in self.handlers:
            try:
                handler.exit()
            except Exception:  # anybody's code
                self.logger.exception("%s failed at its end", type(handler).__name__)

    addEventHandler = add_event_handler
