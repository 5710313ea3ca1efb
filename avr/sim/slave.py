"""One simulated ATmega328P that runs the real firmware."""

from yasimavr.device_library import load_device
from yasimavr.device_library.descriptors import DeviceDescriptor
from yasimavr.lib import core

CHIP_ID_PLACES = (0x0F, 0x10, 0x11, 0x12, 0x13, 0x15, 0x16, 0x17)
TWAR = 0xBA
ADDRESS_CELL, DOOR_CELL = 0, 1
# At the end of flash: nop, rjmp to it. At a loop of one instruction yasimavr would end, the watchdog with it.
LOOP_AT, LOOP = 0x7FFC, b"\x00\x00\xfe\xcf"
RESETS = {
    "power_on": core.Device.ResetFlag.PowerOn,
    "external": core.Device.ResetFlag.Ext,
    "brown_out": core.Device.ResetFlag.BOD,
}
SUPPLY_V, BANDGAP_V = 5.0, 1.1

# yasimavr's ATmega328P lacks the two inside inputs of the converter, and one of its clock's dividers. The bandgap comes
# in by a pin that our package of the chip has not.
_adc = DeviceDescriptor.create_from_model("atmega328p").peripherals["ADC"].class_descriptor.config
_adc["channels"] |= {8: "Temperature", 14: ["SingleEnded", "ADC6"]}
_adc["clk_ps_factors"] = [2, 2, 4, 8, 16, 32, 64, 128]
_adc["temp_cal_25C"], _adc["temp_cal_coef"] = 0.314, 0.001  # the datasheet's typical sensor


class Slave:
    """address: kept in its EEPROM from the start, None: as delivered. chip: 8 bytes. door: "" I2C, "uart" the serial
    port by EEPROM, "strap" the same by a wire from D2 to ground."""

    def __init__(self, elf: str, hertz: int, address: int | None = None, chip: bytes | None = None, door: str = ""):
        firmware = core.Firmware.read_elf(elf)
        if firmware is None:
            raise ValueError(f"{elf} is no ELF file")
        firmware.frequency = hertz
        firmware.vcc = firmware.aref = SUPPLY_V
        cells = bytes([0xFF if address is None else address, ord("U") if door == "uart" else 0xFF])
        firmware.add_block(core.Firmware.Area.EEPROM, cells, ADDRESS_CELL)
        self.symbols = {symbol.name: symbol.addr for symbol in firmware.symbols()}
        self.device = load_device("atmega328p")
        self.device.set_option(core.Device.Option.IgnoreBadCpuIO, True)
        loop = core.SimLoop(self.device)
        loop.set_fast_mode(True)
        self.run, self.cycle = loop.run, loop.cycle
        self.device.load_firmware(firmware)
        self.probe = core.DeviceDebugProbe(self.device)
        if chip:
            self._set_chip_id(chip)
        self.scl, self.sda = self.device.find_pin("PC5"), self.device.find_pin("PC4")
        self.device.find_pin("ADC6").set_external_state("A", BANDGAP_V / SUPPLY_V)
        if door == "strap":
            self.device.find_pin("PD2").set_external_state("L")
        self.plugged = False

    def _set_chip_id(self, chip: bytes) -> None:
        """yasimavr knows no signature row: a read of it gives flash, and these are vectors that the firmware leaves
        unused."""
        for place, byte in zip(CHIP_ID_PLACES, chip, strict=True):
            self.probe.write_flash(place, bytes([byte]))

    def plug(self, scl: core.Wire, sda: core.Wire) -> None:
        if not self.plugged:
            scl.attach(self.scl)
            sda.attach(self.sda)
            self.plugged = True

    def unplug(self) -> None:
        if self.plugged:
            self.scl.detach()
            self.sda.detach()
            self.plugged = False

    def reset(self, cause: str = "power_on") -> None:
        self.device.reset(int(RESETS[cause]))

    def hang(self) -> None:
        """It runs into a loop, beyond the firmware, that only a reset ends; interrupts stay as they are."""
        self.probe.write_flash(LOOP_AT, LOOP)
        self.probe.write_pc(LOOP_AT)

    @property
    def address(self) -> int:
        """What its I2C answers to."""
        return self.memory(TWAR, 1)[0] >> 1

    def memory(self, at: str | int, size: int) -> bytes:
        """From a symbol (of C: the assembler's have no type, and are not listed) or an address of RAM."""
        return bytes(self.probe.read_data(self.symbols[at] & 0xFFFF if isinstance(at, str) else at, size))
