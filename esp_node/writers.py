"""Outputs for things of thingflow.py: into a file, and to a broker."""

import json
import os
import sys

from esp_node import thingflow
from esp_node.clock import mono_ms

if sys.implementation.name == "micropython":
    from esp_node.link import Link
else:
    from esp_node.mqtt_edge import Link

_DRAIN_MS = 5000


class CsvWriter:
    """Appends events (sensor_id, time, value) to a CSV file as lines time, sensor_id, value; any other event as its
    parts. `buffered` lines are written at a time, because each write wears the flash; OSError when it is full.
    """

    def __init__(self, path, buffered=20):
        self._path = path
        self._buffered = buffered
        self._lines = []

    def on_next(self, event):
        """Take an event (tuple, list or single value)."""
        parts = list(event) if isinstance(event, (tuple, list)) else [event]
        if len(parts) == 3:
            parts = [parts[1], parts[0]] + (list(parts[2]) if isinstance(parts[2], (tuple, list)) else [parts[2]])
        self._lines.append(",".join([_cell(part) for part in parts]))
        if len(self._lines) >= self._buffered:
            self.flush()

    def on_completed(self):
        """Write what is still buffered."""
        self.flush()

    def on_error(self, error):
        """Write what is still buffered: worse may follow."""
        self.flush()

    def flush(self):
        """Write what is buffered, and a heading into a new file."""
        lines, self._lines = self._lines, []
        if lines:
            with open(self._path, "a") as file:
                if os.stat(self._path)[6] == 0:
                    file.write("timestamp,sensor_id,value\n")
                file.write("\n".join(lines) + "\n")


class MQTTWriter:
    """Publishes events as JSON on `topic`, over one connection that is made again whenever it breaks. With QoS 1 an
    event is kept until the broker has acknowledged it; of more than `most` that wait the oldest are dropped, and
    counted in `dropped`. name: client id, unique at the broker.
    """

    def __init__(self, name, host, port=1883, topic="thingflow", qos=1, user=None, password=None, most=50):
        self._topic = topic
        self._qos = qos
        self._most = most
        self._waiting = []
        self._sent = 0  # how many of them are on their way
        self.dropped = 0
        self.link = Link(name, [(host, port)], user, password, self._connected, _ignore)
        thingflow.served.append(self)

    def on_next(self, event):
        """Take an event (anything that JSON can say). It is sent as soon as the link lets it."""
        if len(self._waiting) >= self._most:
            self._waiting.pop(0)
            self._sent = max(0, self._sent - 1)
            self.dropped += 1
        self._waiting.append(json.dumps(event).encode())
        self._send()

    def on_completed(self):
        """Give what still waits some seconds to get out."""
        until = mono_ms() + _DRAIN_MS
        while self._waiting and mono_ms() < until:
            self.serve(100)

    def on_error(self, error):
        """An error is not published."""

    def serve(self, wait_ms):
        """Handle what comes from the broker within `wait_ms`, connect when there is no connection."""
        self.link.serve(wait_ms)
        if self.link.connected:
            arrived = self._sent - self.link.unacked
            if arrived > 0:
                del self._waiting[:arrived]
                self._sent -= arrived
            self._send()

    def close(self):
        """Send what waits, and disconnect."""
        self.on_completed()
        if self.link.connected:
            self.link.disconnect()
            self.link.connected = False

    def _connected(self):
        self._sent = 0  # whatever was on its way may be lost: once more
        self._send()

    def _send(self):
        while self.link.connected and self._sent < len(self._waiting):
            if self.link.publish(self._topic, self._waiting[self._sent], False, self._qos) is False:
                return
            if self._qos:
                self._sent += 1
            else:
                self._waiting.pop(0)


def _cell(value):
    text = "" if value is None else str(value)
    if "," in text or '"' in text or "\n" in text or "\r" in text:
        text = '"' + text.replace('"', '""') + '"'
    return text


def _ignore(topic, payload, retained):
    pass
