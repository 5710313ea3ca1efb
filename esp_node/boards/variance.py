"""Measures how much a circuit's voltage changes from sample to sample, in steps of 12 bits. The pin that is counted
cannot be measured (the RP2350B's ADC has GPIO 40 to 47): it wants a wire to GPIO 41."""

import time

from machine import ADC, Pin

from esp_node.boards.receiving import serve

MEASURED = 41
SAMPLES = 500
EACH_US = 100
SETTLE_MS = 100


def samples(adc):
    time.sleep_ms(SETTLE_MS)
    found = []
    for _ in range(SAMPLES):
        found.append(adc.read_u16() >> 4)
        time.sleep_us(EACH_US)
    return found


def variance(found):
    """Text: the mean difference of one sample to the next. In whole numbers, as floats here have seven digits."""
    total = sum([abs(found[at] - found[at - 1]) for at in range(1, len(found))])
    thousandths = (total * 1000 + len(found) // 2) // len(found)
    return "%d.%03d" % (thousandths // 1000, thousandths % 1000)


def run():
    adc = ADC(Pin(MEASURED))
    serve(lambda: "variance: " + variance(samples(adc)))


if __name__ == "__main__":
    run()
