"""Boards of a farmhand farm: reserve them, evaluate bitstreams on them, hear what they tell.

    client = PulseCountClient("http://farm:8080", "my experiment", logging.getLogger(__name__), key="...")
    client.reserve(2)
    for serial, filepath, pulses in client.evaluate_bitstreams(["one.bin", "two.asc"]):
        ...
    client.end_all()

`PulseCountClient`, `VarianceClient` and `BoardClient` (any kind of board state) block; the same names with `Async` in
front are for asyncio. Every call is there in camelCase too.
"""

from farmhand_client.blocking import BoardClient, PulseCountClient, VarianceClient
from farmhand_client.boards import AsyncBoardClient, AsyncPulseCountClient, AsyncVarianceClient
from farmhand_client.console import ConsoleLine
from farmhand_client.errors import FarmError, NoAnswer
from farmhand_client.evaluation import (
    Evaluation,
    EvaluationFailed,
    PulseCountEvaluation,
    Result,
    VarianceEvaluation,
)
from farmhand_client.events import AbstractEventHandler, Event, EventServer, register

__all__ = [
    "AbstractEventHandler",
    "AsyncBoardClient",
    "AsyncPulseCountClient",
    "AsyncVarianceClient",
    "BoardClient",
    "ConsoleLine",
    "Evaluation",
    "EvaluationFailed",
    "Event",
    "EventServer",
    "FarmError",
    "NoAnswer",
    "PulseCountClient",
    "PulseCountEvaluation",
    "Result",
    "VarianceClient",
    "VarianceEvaluation",
    "register",
]
