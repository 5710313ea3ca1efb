"""The module `ice` of the board maker's MicroPython, as far as its C source is that of an FPGA that is clocked, started
and configured."""

import door
import machine

configured = False
_WIRED = (("cdone", 40), ("clock", 21), ("creset", 31), ("cram_cs", 5), ("cram_mosi", 4), ("cram_sck", 6))


class fpga:
    def __init__(self, cdone, clock, creset, cram_cs, cram_mosi, cram_sck, *, frequency=48):
        given = (cdone, clock, creset, cram_cs, cram_mosi, cram_sck)
        for (name, number), pin in zip(_WIRED, given):
            if not isinstance(pin, machine.Pin):
                raise ValueError(name + " is not a pin")
            if pin.number != number:
                raise ValueError("%s is not at GPIO %d on this board" % (name, pin.number))
        if type(frequency) is not int or not 0 < frequency <= 48:
            raise ValueError("frequency must be a whole number of MHz up to 48")
        self._mhz = frequency

    def start(self):
        return True

    def stop(self):
        global configured
        configured = False
        return True

    def cram(self, file):
        global configured
        if hasattr(file, "seek"):
            file.seek(0)
        content = file.read()
        if type(content) is not bytes:  # the module looks into the object without asking
            raise TypeError("read() must give bytes")
        configured = False
        machine.samples[:] = door.ask("configure", content, mhz=self._mhz)["samples"]
        configured = True
