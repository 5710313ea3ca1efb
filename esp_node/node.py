"""The node: `main` reads config.json, enrols if it must, and runs the loop. Read downwards; the
parts are link, outbox, scheduler, control.

    micropython -X heapsize=64k main.py <folder>/config.json

Exit code 0: stopped, or a `restart` command came (start it again); 2: a wrong configuration; 3:
the token was refused; 4: the heap is
full (start it again).
"""

import binascii
import gc
import json
import os

from esp_node import late, logger, store
from esp_node.clock import mono_ms, unix_ms
from esp_node.messages import SENT
from esp_node.outbox import Outbox
from esp_node.scheduler import Scheduler
from schema.errors import Invalid

SOFTWARE = "farmhand esp_node 0.1.0"
_LIMIT = 4096  # bytes of a payload that this node takes
_WINDOW = 8  # events on the way to the broker without a PUBACK
_REFUSALS = 8  # reports of refused messages per heartbeat: a flood of them must not push out events


class Node:
    """A running node: `given` is the checked configuration, `credential` {node, password, verify,
    epoch}, `folder` ends in a slash."""

    def __init__(self, given, credential, folder, hardware):
        # Imported here, after the configuration and a possible enrolment left the heap.
        from esp_node.link import Link

        self.given = given
        self.folder = folder
        self.name = credential["node"]
        self.software = SOFTWARE
        self.hardware = hardware
        self.boot = _random_name()
        self.refused = 0
        self.prefix = "%s/%s/%s/self/" % (given["root"], given["domain"], self.name)
        self.outbox = Outbox(_random_name(), given["queue"]["events"], given["queue"]["bytes"], given["hears_marks"])
        self.verify = credential["verify"]
        self.seen = store.read(folder + "seen.json", {"epoch": credential.get("epoch", 0)})
        self.link = Link(
            self.name, given["brokers"], self.name, credential["password"], self._connected,
            self._received,
            given["keepalive_s"], given["timeout_s"], _LIMIT,
        )  # fmt: skip
        self.link.backoff_most_ms = given["backoff_s"] * 1000
        self.link.set_last_will(self.prefix + "state", "lost", True, 1)
        self.scheduler = Scheduler(self._task_failed)
        self.scheduler.every(given["heartbeat_s"] * 1000, self._heartbeat, "heartbeat")
        self.active = {}  # sensor -> (module, sensor object)
        self.tasks = []  # of the sensors
        self.apply(store.read(folder + "settings.json", {}))
        self.event("evt/boot", {"boot": self.boot, "software": self.software})
        logger.listener = self._log_line
        for key in ("token", "password", "verify", "brokers", "queue"):
            del given[key]  # said already where it is used; the heap has better uses for it

    def run(self):
        """The loop; returns after a `restart` command or Ctrl-C, with the presence word set."""
        try:
            self.scheduler.run_forever(_now, self._serve)
        except KeyboardInterrupt:
            pass
        if self.link.connected:
            self._state("disconnected")
            self.link.disconnect()

    def apply(self, settings):
        """Take over a checked settings document; what it does not name comes from config.json."""
        before = sorted(self.active)
        late.call("esp_node.settings", "apply", self, settings)
        if before != sorted(self.active) and self.link.connected:
            self._birth()

    def send(self, channel, data, name=""):
        """Publish now, or not at all while the link is down: state, info, reported, ack, log,
        heartbeats."""
        if self.link.connected:
            flags = SENT[channel]
            topic = self.prefix + channel + ("/" + name if name else "")
            self.link.publish(topic, data if isinstance(data, bytes) else _dumps(data), bool(flags & 2), flags & 1)

    def event(self, tail, data):
        """Queue an event or telemetry that must reach the database; `tail` is its topic below the
        node's, best a constant."""
        data["ts"] = unix_ms()
        data["stream"] = self.outbox.stream
        data["seq"] = self.outbox.number()
        self.outbox.put(tail, _dumps(data))

    def measure(self, name, tail):
        """Read a sensor and send its telemetry."""
        module, sensor = self.active[name]
        data = dict(zip(module.FIELDS, sensor.get()))
        for field in data:
            _check_value(name + "." + field, data[field])
        if self.given["lossy"]:
            data["ts"] = unix_ms()
            self.send("tele", data, name)
        else:
            self.event(tail, data)

    def frame(self, name, frames):
        """Take a sample of a sensor into its frame; send what is complete."""
        values = self.active[name][1].get()
        for frame in frames.add(unix_ms(), values[0] if len(values) == 1 else values):
            self.send("data", late.call("schema.pack", "pack", frame), name)

    def _heartbeat(self):
        gc.collect()
        self.refused = 0
        self.outbox.tick(mono_ms())
        data = {
            "ts": unix_ms(), "uptime_s": mono_ms() // 1000, "queue": len(self.outbox), "dropped":
            self.outbox.dropped,
            "reconnects": self.link.reconnects,
        }  # fmt: skip
        if hasattr(gc, "mem_free"):
            data["mem_free"] = gc.mem_free()
        self.send("tele", data, "node")

    def _serve(self, wait_ms):
        self._pump()
        self.link.serve(min(1000, wait_ms))

    def _pump(self):
        while self.link.connected and self.link.unacked < _WINDOW:
            item = self.outbox.take()
            if item is None:
                return
            seq, name, payload = item
            if seq == 0:
                gap = {
                    "ts": unix_ms(),
                    "stream": self.outbox.stream,
                    "from": payload[0],
                    "to": payload[1],
                    "why": "the queue was full",
                }
                name, payload = "evt/gap", _dumps(gap)
            self.link.publish(self.prefix + name, payload, False, 1)

    def _connected(self):
        self._state("init")
        for channel in ("stored", "desired/+", "cmd/+"):
            self.link.subscribe(self.prefix + channel)
        self._birth()
        self._state("ready")
        self.outbox.rewind()
        logger.log("info", "connected to %s:%d" % (self.link.server, self.link.port))

    def _birth(self):
        self.send("info", late.call("esp_node.birth", "info", self))

    def _state(self, word):
        self.send("state", word.encode())

    def _received(self, topic, payload, retained):
        try:
            name = topic[len(self.prefix) :]
            if payload is None:
                raise Invalid("payload", "is too large; at most %d bytes" % _LIMIT)
            if name == "stored":
                self.outbox.stored(_mark(payload, self.outbox.stream))
            elif name.startswith("cmd/") and retained:
                raise Invalid("retain", "a command must not be retained")
            elif payload:
                channel, _, name = name.partition("/")
                # Two calls, so that the checks have left the heap when the body is acted upon.
                body = late.call("esp_node.verify", "unseal", channel, topic, payload, self.verify)
                late.call(
                    "esp_node.control",
                    "desired" if channel == "desired" else "command",
                    self,
                    name,
                    body,
                )
        except Invalid as error:
            self._refuse(topic, error.field, error.problem)
        except MemoryError:
            self._refuse(topic, "payload", "is too large for this device, or its heap too full: try again")

    def _refuse(self, topic, field, problem):
        self.refused += 1
        if self.refused <= _REFUSALS:
            self.event("evt/refused", {"topic": topic, "field": field, "problem": problem})
        logger.log("warning", "refused %s: %s: %s" % (topic[len(self.prefix) :], field, problem))

    def _task_failed(self, task, error):
        if task.failures in (1, 10, 100) or task.failures % 1000 == 0:
            logger.log(
                "error",
                "%s failed (%d): %s %s" % (task.name, task.failures, type(error).__name__, error),
            )

    def _log_line(self, level, text):
        self.send("log", {"ts": unix_ms(), "level": level, "text": text})


def _dumps(data):
    return json.dumps(data, separators=(",", ":")).encode()


def _check_value(field, value):
    kind = type(value)
    if value is not None and kind not in (bool, int, str) and (kind is not float or value - value != 0):
        raise Invalid(field, "must be null, true, false, a finite number or text")


def _mark(payload, stream):
    # As the declaration says, in three lines: marks come every second, the whole of `schema` need
    # not.
    try:
        mark = json.loads(payload or b'{"marks":{}}')["marks"].get(stream, 0)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Invalid("marks", "must be an object of stream -> number")
    if type(mark) is not int:
        raise Invalid("marks." + stream, "must be a whole number")
    return mark


def main(path):
    """Run the node that the file `path` describes until it is stopped. Returns the exit code."""
    code, given, credential, hardware = late.call("esp_node.start", "prepare", path, SOFTWARE)
    if code == 0:
        try:
            Node(given, credential, path[: path.rfind("/") + 1], hardware).run()
        except MemoryError:
            print("esp_node: the heap is full")
            return 4
    return code


def _now():
    # Multiples of an interval on the real clock, so that a restart keeps the pace; on the steady
    # one while it is not set.
    return unix_ms() or mono_ms()


def _random_name():
    return "e-" + str(binascii.hexlify(os.urandom(8)), "ascii")
