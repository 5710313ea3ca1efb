"""The messages of a farm, declared once, for CPython and MicroPython.

Read in this order:
  message.py   kinds of fields, `Message`, `check()`; errors.py: `Invalid`, the only error
  kinds.py     the kinds of fields that boards do not receive; units.py
  fleet.py     the messages everybody uses, as plain data (mining, energy, boards, streams come beside it)
  topics.py    where a message lives: `build()` and `parse()`
  wire.py      bytes <-> message, JSON or msgpack (pack.py, unpack.py)
  trust.py     signatures; seal.py makes them; judge.py: revisions, epochs, replays: what a receiver must refuse
  tokens.py    the string that a new node is given
  asyncapi.py  all messages as an AsyncAPI 3 document; slim.py: the same as a small table for boards
"""
