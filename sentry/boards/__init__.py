"""FPGA boards on this host's USB: found, flashed, tested, given to whoever has a lease, healed when they break.

Read in this order:
  usb.py        what a plugged board is, and the one interface of what finds them: udev.py (real), folder.py (virtual)
  core.py       what a state is; states/: one file each, found by listing the folder
  flashing.py   from whatever runs on a board to a firmware; disk.py, tty.py and uf2.py are its tools; loading.py, for
                boards with MicroPython
  console.py    what boards said and were sent, for people
  board.py      the life of one board: which state, and what comes next; work.py: its tasks, threads.py: its methods
                without `async`
  evaluation.py what the states that evaluate bitstreams share; bitstream.py, pure, refuses what is none
  manager.py    all boards: the document, the commands, the report
  blobs.py      files that calls name, pulled once and kept; voice.py: what is said; hub.py: power
  boards.py     the sentry's part: ties these to its MQTT connection
  settings.py   the numbers
"""
