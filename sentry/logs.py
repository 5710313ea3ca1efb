"""The sentry's own log: the last lines for the command `logs`, warnings and worse for the farm."""

import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

KEPT = 1000
FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object a line: ts (ms since 1970), level, name, text."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"ts": int(record.created * 1000), "level": record.levelname.lower(), "name": record.name}
        return json.dumps({**line, "text": record.getMessage()})


def start_logging(as_json: bool) -> None:
    """Log to stderr, as lines for people or for programs."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(FORM))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for library in ("httpx", "pyasic"):  # a line for each question to a miner would push out all others
        logging.getLogger(library).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class LogLine:
    """``ts``: ms since 1970; ``level``: as the message `log` wants it."""

    ts: int
    level: str
    text: str


class Keeper(logging.Handler):
    """``tell`` is called, from any thread, with each line of a warning or worse."""

    def __init__(self, tell: Callable[[LogLine], None]) -> None:
        super().__init__(logging.INFO)
        self.lines: deque[str] = deque(maxlen=KEPT)
        self._tell = tell
        self._form = logging.Formatter(FORM)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(_tellable(self._form.format(record)))
        if record.levelno >= logging.WARNING:
            text = _tellable(f"{record.name}: {record.getMessage()}")[:1024]
            level = record.levelname.lower()
            self._tell(LogLine(int(record.created * 1000), level, text))


def _tellable(text: str) -> str:
    """As a message can hold it."""
    return text.encode(errors="replace").decode().replace("\0", "?")
