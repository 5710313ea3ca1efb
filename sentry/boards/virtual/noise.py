"""The variance firmware's answer, from a model: an ADC looks at the counted pin through a low-pass filter. Pure.

There is no analogue part to simulate, so this is declared, not true: 500 samples of 12 bits, taken while the pin swings
with the frequency that was counted, with Gaussian noise that belongs to the board and the bitstream.
"""

import hashlib
import math
import random
from itertools import pairwise

SAMPLES, SAMPLES_HZ = 500, 500_000
MIDDLE, SWING = 2048.0, 1500.0
FILTER_HZ = 100_000.0
NOISE = 4.0


def waveform(pulses: int, bitstream: bytes, serial: str) -> list[int]:
    """Samples from 0 to 4095; the same for the same three."""
    chance = random.Random(hashlib.sha256(serial.encode() + bitstream).digest())
    swing = SWING / math.hypot(1.0, pulses / FILTER_HZ) if pulses else 0.0
    return [
        min(
            4095, max(0, round(MIDDLE + swing * math.sin(math.tau * pulses * at / SAMPLES_HZ) + chance.gauss(0, NOISE)))
        )
        for at in range(SAMPLES)
    ]


def variance(pulses: int, bitstream: bytes, serial: str) -> float:
    """Mean absolute difference of one sample to the next, in steps of the ADC."""
    samples = waveform(pulses, bitstream, serial)
    return round(sum(abs(b - a) for a, b in pairwise(samples)) / len(samples), 3)
