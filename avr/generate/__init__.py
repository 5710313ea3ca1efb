"""Writes what the firmware needs and nobody should write by hand.

Read in this order:
  schedule.py  which words of SHA-1's message schedule a digit of the nonce reaches, and how
  assembler.py lines of AVR assembly for 32-bit values in four registers
  rounds.py    one round of SHA-1 in as few cycles as we know
  kernel.py    the whole search over one decimal digit, and its tables: kernel.S and kernel.h
  header.py    schema/i2c.py as a C header
"""
