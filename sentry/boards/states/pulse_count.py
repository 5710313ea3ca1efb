"""Counts the pulses that a circuit gives on GPIO 20 within the gate time."""

import re

from sentry.boards.core import reservable
from sentry.boards.evaluation import Evaluating


@reservable("pulsecount")
class PulseCount(Evaluating):
    firmware = "pulse_count"
    answer = re.compile(r"(?:.*, )?pulses:\s*(\d+)(?:,\s*gate\s+(?P<gate>\d+)\s*ms)?")
    value = int
