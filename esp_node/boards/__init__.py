"""Firmware of a pico2-ice under its maker's MicroPython: a sentry loads one of these through the REPL into RAM.

default.py      says that it runs
pulse_count.py  bitstream -> pulses on GPIO 20 within a second, counted by the PIO
variance.py     bitstream -> how much a voltage changes from sample to sample
receiving.py    what the last two share; the loader puts it in place of the line that imports it
"""
