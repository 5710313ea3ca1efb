"""Two sensors, a filter, a file and a broker, as a ThingFlow user would write it; on a board and on a PC alike.

python -m examples.node.thingflow HOST PORT FILE
micropython examples/node/thingflow.py HOST PORT FILE      (MICROPYPATH: the built node)
"""

import sys

from esp_node.thingflow import Output, OutputThing, Scheduler, SensorAsOutputThing
from esp_node.writers import CsvWriter, MQTTWriter

HOST, PORT, FILE = sys.argv[1], int(sys.argv[2]), sys.argv[3]


class Lamp:
    """Twenty readings of a lamp that gets brighter; one of them fails."""

    sensor_id = "lamp"

    def __init__(self):
        self.readings = 0

    def sample(self):
        self.readings += 1
        if self.readings == 5:
            raise OSError("the lamp's sensor did not answer")
        if self.readings > 20:
            raise StopIteration
        return 10 * self.readings


class Bright(OutputThing):
    """Passes on what is bright; the rest comes out at the port `dark`."""

    def __init__(self):
        super().__init__(ports=("default", "dark"))

    def on_next(self, event):
        self._dispatch_next(event, "default" if event[2] > 100 else "dark")

    def on_completed(self):
        self._dispatch_completed()
        self._dispatch_completed("dark")

    def on_error(self, error):
        self._dispatch_error(error)


class Tally:
    """Counts what arrives at its port `dim`."""

    count = 0

    def on_dim_next(self, event):
        self.count += 1

    def on_dim_completed(self):
        print("dim:", self.count)


bright = Bright()
bright.connect(Output())
bright.connect(MQTTWriter("thingflow-example", HOST, PORT, "bright", qos=1))
bright.connect(Tally(), ("dark", "dim"))

lamp = SensorAsOutputThing(Lamp())
lamp.connect(bright)
lamp.connect(CsvWriter(FILE))

scheduler = Scheduler()
scheduler.schedule_periodic(lamp, 0.05)
scheduler.run_forever()
