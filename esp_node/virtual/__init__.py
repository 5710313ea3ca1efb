"""A board that is not there: the modules that a firmware has and a PC lacks, on wires and a clock of our own.

Read clock.py first (one clock, virtual or real time), then pins.py (wires), board.py (what is attached) and one file of
devices/ (a model of waveforms or registers). `board.install()` puts machine and time in their place for a test; for a
live node in the Unix port this folder is first in MICROPYPATH, and FARMHAND_BOARD names the description, board.json.
pico2/ is another board: one with an FPGA, for the firmware in esp_node/boards.
"""
