"""A chip on an I2C bus: set up at the first get(), and again after any error.

Its attributes are all public: the short names that the build gives to private ones are those of one file, and a
subclass in another would use them twice.
"""


class Chip:
    """A subclass has init(), which checks that it is the right chip and configures it, and measure(), the values."""

    def __init__(self, options, addresses, known):
        from esp_node.sensors._options import choice, i2c, take

        known.update({"scl": ..., "sda": ..., "freq": 100000, "address": addresses[0]})
        self.options = take(options, known)
        choice(self.options, "address", addresses)
        self.bus = i2c(self.options)
        self.ready = False

    def get(self):
        """One value per field, None while the chip has not measured yet. OSError: it does not answer; ValueError: what
        it answers cannot be true."""
        self.ready, ready = False, self.ready
        if not ready:
            self.init()
        values = self.measure(not ready)
        self.ready = True
        return values

    def read(self, register, count):
        """`count` bytes from `register` on."""
        self.send(bytes((register,)), False)
        return self.attempt(self.bus.readfrom, count, True)

    def write(self, register, value):
        """Set one register."""
        self.send(bytes((register, value)), True)

    def identify(self, register, expected):
        """ValueError unless the bytes at `register` are `expected`."""
        found = self.read(register, len(expected))
        if found != expected:
            raise ValueError("wrong chip: id %s instead of %s" % (_hex(found), _hex(expected)))

    def send(self, data, stop):
        """Write the bytes `data`."""
        # A chip that breaks off is no error to writeto(), and the bytes of a readfrom_mem() would then mean nothing.
        if self.attempt(self.bus.writeto, data, stop) != len(data):
            raise OSError("the chip broke off in the middle")

    def attempt(self, call, what, stop):
        """call(address, what, stop) of the bus; OSError says which chip does not answer."""
        try:
            return call(self.options["address"], what, stop)
        except OSError as error:
            raise OSError("no answer from I2C address %d (%s)" % (self.options["address"], error))


def _hex(data):
    return "".join(["%02x" % byte for byte in data])
