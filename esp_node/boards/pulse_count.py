"""Counts the pulses of a circuit on GPIO 20.

Not by the edge counter of the PWM, which only listens to its B pins; GPIO 20 is an A. A state machine of the PIO takes
three cycles for a pulse: pulses of which high and low last two cycles each (13 ns at 150 MHz) are all seen.
"""
# ruff: noqa: F821 (the words of the PIO)

import time

import rp2
from machine import Pin

from esp_node.boards.receiving import serve

COUNTED = 20
GATE_MS = 1000


@rp2.asm_pio()
def rises():
    label("next")
    wait(0, pin, 0)
    wait(1, pin, 0)
    jmp(x_dec, "next")


def scaled(count, elapsed_us):
    """Within the gate time; a gate is never exactly as long as it should be."""
    return (count * GATE_MS * 1000 + elapsed_us // 2) // elapsed_us


def pulses(counter):
    counter.restart()
    counter.exec("mov(x, invert(null))")
    start = time.ticks_us()
    counter.active(1)
    time.sleep_ms(GATE_MS)
    end = time.ticks_us()
    counter.active(0)
    counter.exec("mov(isr, invert(x))")
    counter.exec("push()")
    return scaled(counter.get(), time.ticks_diff(end, start))


def run():
    counter = rp2.StateMachine(0, rises, in_base=Pin(COUNTED, Pin.IN))
    serve(lambda: "pulses: %d, gate %d ms" % (pulses(counter), GATE_MS))


if __name__ == "__main__":
    run()
