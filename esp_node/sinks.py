"""Where measured values leave the node: as telemetry; framing.py has the other way. All that a running task refers to
is here: what is made elsewhere would keep the module that made it in the heap.
"""

from esp_node.clock import unix_ms
from schema.errors import Invalid


class Tele:
    """Sends values as telemetry of the part `name`; `digits` are the decimals of each field, None for no rounding."""

    def __init__(self, node, name, fields, digits):
        self.node = node
        self.tail = "tele/" + name  # made once: every queued event refers to it
        self.fields = fields
        self.digits = digits

    def add(self, ts, values):
        """One value for each field, or the value itself where there is one field."""
        data = self.told(ts, values)
        if self.node.lossy:
            self.node.send("tele", data, self.tail[5:])
        else:
            self.node.event(self.tail, data)

    def told(self, ts, values):
        """Fields with their values, and ts: 0 while the time is unknown."""
        data = {"ts": ts if unix_ms() else 0}
        if type(values) not in (tuple, list):
            values = (values,)
        for field, digits, value in zip(self.fields, self.digits, values):
            if type(value) is float:
                if value - value != 0:
                    raise Invalid(field, "must be a finite number")
                if digits is not None:
                    value = round(value, digits) if digits else int(round(value))
            data[field] = value
        return data
