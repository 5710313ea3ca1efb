"""A bitstream comes over the serial port, goes into the FPGA, is measured, and answered with one line; and again.

Ctrl-C is a byte like any other in a bitstream, so it interrupts nothing here. Alone, with silence after it, it is no
bitstream: that ends the program and leaves the REPL to the loader.
"""

import gc
import select
import sys
from binascii import crc32

import ice
import micropython
from machine import Pin

BITSTREAM_BYTES = 104090
WATCHDOG_MS = 2000
LEAVE_MS = 200
GREET_MS = 1000
CTRL_C = 3
CDONE = 40
FPGA_MHZ = 48
WAITING = "Waiting for bitstream transfer"


class Port:
    """The serial port, byte by byte: the RP2350's waits until all that is asked for has come."""

    def __init__(self):
        self._poller = select.poll()
        self._poller.register(sys.stdin, select.POLLIN)
        self._byte = bytearray(1)

    def ready(self, limit_ms):
        """Whether there is a byte within that time."""
        for _ in self._poller.ipoll(limit_ms):
            return True
        return False

    def byte(self):
        sys.stdin.buffer.readinto(self._byte)
        return self._byte[0]


class Bitstream:
    """What has come of a bitstream, and the file of it that ice.fpga.cram() wants. Made once, so memory suffices."""

    def __init__(self):
        self._content = bytearray(BITSTREAM_BYTES)

    def receive(self, port):
        """How many bytes came until it was whole or the watchdog had enough; -1: Ctrl-C and nothing else."""
        content, count, interrupts = self._content, 0, 0
        while count < BITSTREAM_BYTES:
            if not port.ready(LEAVE_MS if 0 < count == interrupts else WATCHDOG_MS):
                return -1 if count and count == interrupts else count
            content[count] = byte = port.byte()
            if byte == CTRL_C and count == interrupts:
                interrupts += 1
            count += 1
        return count

    def crc(self):
        """Of all of it: bytes that somebody else sent before it are not seen by their number."""
        return crc32(self._content)

    def seek(self, _):
        return 0

    def read(self):
        return bytes(self._content)  # the module takes nothing else


def fpga():
    """The board's, clocked and running."""
    bus = {"cram_cs": Pin(5), "cram_mosi": Pin(4), "cram_sck": Pin(6)}
    chip = ice.fpga(cdone=Pin(CDONE), clock=Pin(21), creset=Pin(31), frequency=FPGA_MHZ, **bus)
    chip.start()
    return chip


def serve(measure):
    """Answer every bitstream with the line that measure() gives, until the loader wants the REPL."""
    chip, bitstream, port = fpga(), Bitstream(), Port()
    micropython.kbd_intr(-1)
    try:
        print(WAITING)
        while not port.ready(GREET_MS):  # whoever loaded this may not have been listening
            print(WAITING)
        while True:
            count = bitstream.receive(port)
            if count < 0:
                return
            if count < BITSTREAM_BYTES:
                print("Watchdog timeout, %d bytes received of %d" % (count, BITSTREAM_BYTES))
            else:
                print("%s, crc %08x" % (answer(chip, bitstream, measure), bitstream.crc()))
            print(WAITING)
            port.ready(-1)
    finally:
        micropython.kbd_intr(CTRL_C)


def answer(chip, bitstream, measure):
    """Whatever happens is said: the REPL of a program that ended here would obey what a client sends next."""
    gc.collect()
    try:
        chip.cram(bitstream)
        if not Pin(CDONE, Pin.IN).value():
            return "cannot evaluate: the FPGA did not take it (CDONE stays low)"
        return measure()
    except Exception as error:
        return "cannot evaluate: %s" % (str(error) or type(error).__name__)
