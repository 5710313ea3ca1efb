"""The MicroPython node. Its pure modules (scheduler, framing, outbox, config, sensors, steps) are also for CPython.

Read in this order:
  node.py       the node: start, loop, what it sends; late.py: how rare code leaves the heap again
  link.py       its one MQTT connection (dial.py: its beginning); outbox.py, spill.py: what must not get lost
  start.py      config.py, enrol.py, setup.py: how it becomes a member; verify.py, control.py: what the commander may
                tell it; settings.py, measuring.py, streaming.py, pacing.py: how that becomes sensors and tasks
  scheduler.py  when what runs, sleep.py between; sensors/, steps/: one file each; chains.py, framing.py: streams
  thingflow.py  ThingFlow's names; writers.py
  build.py      from here onto a board (CPython only): bundle.py, parts.py, embed.py, on_board.py, rename.py,
                short_texts.py, shorten.py; firmware.py, flash.py, cli.py; virtual/: a board that is not there
  boards/       no part of a node: firmware of FPGA boards, which a sentry loads
"""
