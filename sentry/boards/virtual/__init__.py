"""Virtual pico2-ice boards that tell the truth: what a bitstream gives is simulated from the bitstream itself.

Read in this order:
  evaluate.py  bitstream -> pulses, by fpga-icestorm and iverilog (tools.py, bench.v); chip.py says what cannot be told
  uf2.py       firmware files; firmware.py: the images that these boards know, programs.py: what they do
  tty.py       a serial port that a program can open, set to 1200 baud and close
  board.py     one board: application and bootloader, and what may go wrong with it
  micropython.py  a board that is programmed through a REPL; interpreter.py: the real MicroPython behind its port
  bus.py       boards in a folder that stands for a USB bus; `python -m sentry.boards.virtual` runs one
"""
