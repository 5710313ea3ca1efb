"""Load and free memory of the machine; where there is no /proc (a board), free memory alone."""

import gc

NAME = "load"
FIELDS = ("load1", "load5", "mem_free")
UNITS = ("", "", "B")
DIGITS = (2, 2, 0)


class Load:
    def get(self):
        """(load average of 1 min, of 5 min, free heap in bytes); None for what the machine does not tell."""
        try:
            with open("/proc/loadavg") as file:
                averages = file.read().split(" ")
            load1, load5 = float(averages[0]), float(averages[1])
        except OSError:
            load1 = load5 = None
        return load1, load5, gc.mem_free() if hasattr(gc, "mem_free") else None


def create(node, options):
    from esp_node.common import take

    take(options, {})
    return Load()
