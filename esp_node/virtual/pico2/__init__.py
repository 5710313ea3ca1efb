"""A virtual pico2-ice for MicroPython's Unix port: what its firmware has there and a PC lacks. Truth comes through
door.py from whoever started the interpreter, sentry/boards/virtual/interpreter.py.

`micropython -i boot.py` with this folder in MICROPYPATH is such a board; FARMHAND_DOOR is the number of the open file
that leads to the door.
"""
