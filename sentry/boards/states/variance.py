"""Measures how much a circuit's voltage changes from sample to sample."""

import re
from itertools import pairwise

from sentry.boards.core import reservable
from sentry.boards.evaluation import Evaluating


def variance(said: str) -> float:
    """What the firmware reckoned; of samples, as iCEFARM's tells them, the mean difference of one to the next."""
    word, _, told = said.partition(":")
    if word == "variance":
        return float(told)
    samples = [int(each) for each in told.split(",") if each]
    return sum(abs(after - before) for before, after in pairwise(samples)) / max(1, len(samples))


@reservable("variance")
class Variance(Evaluating):
    firmware = "variance"
    answer = re.compile(
        r"(variance:\s*\d+(?:\.\d+)?|samples:(?:\s*\d+(?:,\s*\d+)*)?)(?:,\s*gate\s+(?P<gate>\d+)\s*ms)?"
    )
    value = variance
