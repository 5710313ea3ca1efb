"""The sentry's own log, whatever stands in it."""

import logging

from schema import fleet
from schema.message import is_json
from schema.wire import encode
from sentry.logs import Keeper, LogLine


def test_a_line_of_anything_can_be_told() -> None:
    told: list[LogLine] = []
    keeper = Keeper(told.append)
    keeper.handle(logging.makeLogRecord({"levelno": logging.ERROR, "levelname": "ERROR", "msg": "it said \0 \udcff é"}))
    (line,) = told
    assert line.text.endswith("it said ? ? é")
    assert encode(fleet.LOG, {"ts": line.ts, "level": line.level, "text": line.text})
    is_json("lines", list(keeper.lines))  # else Invalid
