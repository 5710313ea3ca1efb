"""The units a birth may announce, and the check of its `parts`."""

from schema.errors import Invalid
from schema.text import is_name, shown

UNITS = (
    "", "%", "°C", "ms", "s", "B", "B/s", "V", "A", "W", "Wh", "kWh", "Hz", "MHz", "H/s", "hPa", "Pa",
    "lx", "ppm", "dBm", "dB", "m/s2", "deg/s", "deg", "mm", "m", "rpm", "1/s", "us", "mV", "mA", "ohm", "g",
)  # fmt: skip


def is_unit(field, value):
    """Raise Invalid unless `value` is one of UNITS."""
    if value not in UNITS:
        raise Invalid(field, "unit %s is not allowed; use one of: %s" % (shown(value), " ".join(UNITS).strip()))


def check_units(field, value):
    """Raise Invalid unless `value` is an object of part -> object of field -> one of UNITS."""
    if not isinstance(value, dict):
        raise Invalid(field, "must be an object of part -> fields with units")
    for part, fields in value.items():
        is_name(field, part)
        if not isinstance(fields, dict):
            raise Invalid("%s.%s" % (field, part), "must be an object of field -> unit")
        for name, unit in fields.items():
            is_name("%s.%s" % (field, part), name)
            is_unit("%s.%s.%s" % (field, part, name), unit)
