"""Measures how much a circuit's voltage changes from sample to sample."""

import re

from sentry.boards.core import reservable
from sentry.boards.evaluation import Evaluating


@reservable("variance")
class Variance(Evaluating):
    firmware = "variance"
    answer = re.compile(r"variance:\s*(\d+(?:\.\d+)?)")
    value = float
