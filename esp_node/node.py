"""The node: `main` reads config.json, enrols if it must, and runs the loop. Read downwards; the parts are link, outbox, scheduler, control.

    micropython -X heapsize=64k main.py <folder>/config.json

Exit code 0: stopped, or a `restart` command came (start it again); 2: a wrong configuration; 3: the token was refused.
"""

import binascii
import gc
import os
import sys

from schema.message import Invalid, is_scalar
from schema.wire import decode, dumps

from esp_node import late, logger, sensors, store
from esp_node.clock import mono_ms, unix_ms
from esp_node.messages import SENT, get
from esp_node.outbox import Outbox
from esp_node.scheduler import Scheduler

SOFTWARE = "farmhand esp_node 0.1.0"
_LIMIT = 4096  # bytes of a payload that this node takes
_WINDOW = 8  # events on the way to the broker without a PUBACK
_REFUSALS = 8  # reports of refused messages per heartbeat: a flood of them must not push out events


class Node:
    """A running node: `given` is the checked configuration, `credential` {node, password, verify, epoch}, `folder` ends in a slash."""

    def __init__(self, given, credential, folder):
        # Imported here, after the configuration and a possible enrolment left the heap.
        from esp_node.link import Link

        self.given = given
        self.folder = folder
        self.name = credential["node"]
        self.software = SOFTWARE
        self.hardware = hardware()
        self.boot = _random_name()
        self.running = True
        self.refused = 0
        self.prefix = "%s/%s/%s/self/" % (given["root"], given["domain"], self.name)
        self.outbox = Outbox(_random_name(), given["queue"]["events"], given["queue"]["bytes"], given["hears_marks"])
        self.verify = credential["verify"]
        self.seen = store.read(folder + "seen.json", {"epoch": credential.get("epoch", 0)})
        self.link = Link(
            self.name, given["brokers"], self.name, credential["password"], self._connected, self._received,
            given["keepalive_s"], given["timeout_s"], _LIMIT,
        )  # fmt: skip
        self.link.backoff_most_ms = given["backoff_s"] * 1000
        self.link.set_last_will(self.prefix + "state", "lost", True, 1)
        self.scheduler = Scheduler(self._task_failed)
        self.scheduler.every(given["heartbeat_s"] * 1000, self._heartbeat, "heartbeat")
        self.active = {}  # sensor -> (module, sensor object)
        self._tasks = []
        self.apply(store.read(folder + "settings.json", {}))
        self.event("boot", {"boot": self.boot, "software": self.software})
        logger.listener = self._log_line

    def run(self):
        """The loop; returns after a `restart` command or Ctrl-C, with the presence word set."""
        try:
            while self.running:
                now = _now()
                self.scheduler.run_due(now)
                self._pump()
                self.link.serve(min(1000, max(0, self.scheduler.next_wake(now) - _now())))
        except KeyboardInterrupt:
            pass
        if self.link.connected:
            self._state("disconnected")
            self.link.disconnect()

    def settings(self):
        """The settings document as it is in force."""
        return {"interval_s": self.interval_s, "sensors": {name: name in self.active for name in sensors.names()}}

    def apply(self, settings):
        """Take over a checked settings document; what it does not name comes from config.json."""
        self.interval_s = settings.get("interval_s", self.given["interval_s"])
        wanted = dict(self.given["sensors"])
        wanted.update(settings.get("sensors", {}))
        for task in self._tasks:
            self.scheduler.cancel(task)
        self._tasks = []
        before = sorted(self.active)
        self.active = {}
        for name in sorted(wanted):
            if wanted[name]:
                module = sensors.find(name)
                self.active[name] = (module, module.create(self, {}))
                self._schedule(name)
        if before != sorted(self.active) and self.link.connected:
            self._birth()

    def send(self, channel, data, name=""):
        """Publish now, or not at all while the link is down: state, info, reported, ack, log, heartbeats."""
        if self.link.connected:
            flags = SENT[channel]
            topic = self.prefix + channel + ("/" + name if name else "")
            self.link.publish(topic, data if isinstance(data, bytes) else dumps(data), bool(flags & 2), flags & 1)

    def event(self, name, data, channel="evt"):
        """Queue an event (or telemetry) that must reach the database."""
        data["ts"] = unix_ms()
        data["stream"] = self.outbox.stream
        data["seq"] = self.outbox.number()
        self.outbox.put(channel + "/" + name, dumps(data))

    def _schedule(self, name):
        interval = max(10, int(self.interval_s * 1000))
        self._tasks.append(self.scheduler.every(interval, lambda: self._measure(name), name))
        frame = self.given["frames"].get(name)
        if frame:
            from esp_node.frames import Frames, sample_interval

            length, count = frame.get("frame_ms", 0), frame.get("values", 0)
            frames = Frames(length, count)
            task = self.scheduler.every(sample_interval(length, count) or interval, lambda: self._frame(name, frames), "frame " + name)
            self._tasks.append(task)

    def _measure(self, name):
        module, sensor = self.active[name]
        data = dict(zip(module.FIELDS, sensor.get()))
        for field in data:
            is_scalar(field, data[field])
        if self.given["lossy"]:
            data["ts"] = unix_ms()
            self.send("tele", data, name)
        else:
            self.event(name, data, "tele")

    def _frame(self, name, frames):
        from schema.pack import pack

        values = self.active[name][1].get()
        for frame in frames.add(unix_ms(), values[0] if len(values) == 1 else values):
            self.send("data", pack(frame), name)

    def _heartbeat(self):
        gc.collect()
        self.refused = 0
        self.outbox.tick(mono_ms())
        data = {
            "ts": unix_ms(), "uptime_s": mono_ms() // 1000, "queue": len(self.outbox), "dropped": self.outbox.dropped,
            "reconnects": self.link.reconnects,
        }  # fmt: skip
        if hasattr(gc, "mem_free"):
            data["mem_free"] = gc.mem_free()
        self.send("tele", data, "node")

    def _pump(self):
        while self.link.connected and self.link.unacked < _WINDOW:
            item = self.outbox.take()
            if item is None:
                return
            seq, name, payload = item
            if seq == 0:
                gap = {"ts": unix_ms(), "stream": self.outbox.stream, "from": payload[0], "to": payload[1], "why": "the queue was full"}
                name, payload = "evt/gap", dumps(gap)
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
        self.send("info", late.call("birth", "info", self))

    def _state(self, word):
        self.send("state", word.encode())

    def _received(self, topic, payload, retained):
        try:
            name = topic[len(self.prefix) :]
            if payload is None:
                raise Invalid("payload", "is too large; at most %d bytes" % _LIMIT)
            if name == "stored":
                if payload:
                    marks = decode(get("stored"), payload, _LIMIT)["marks"]
                    self.outbox.stored(marks.get(self.outbox.stream, 0))
            elif name.startswith("cmd/"):
                late.call("control", "command", self, topic, name[4:], payload, retained)
            elif name.startswith("desired/") and payload:
                late.call("control", "desired", self, topic, name[8:], payload)
        except Invalid as error:
            self._refuse(topic, error.field, error.problem)
        except MemoryError:
            gc.collect()
            self._refuse(topic, "payload", "is too large for this device")

    def _refuse(self, topic, field, problem):
        self.refused += 1
        if self.refused <= _REFUSALS:
            self.event("refused", {"topic": topic, "field": field, "problem": problem})
        logger.log("warning", "refused %s: %s: %s" % (topic[len(self.prefix) :], field, problem))

    def _task_failed(self, task, error):
        if task.failures in (1, 10, 100) or task.failures % 1000 == 0:
            logger.log("error", "%s failed (%d): %s %s" % (task.name, task.failures, type(error).__name__, error))

    def _log_line(self, level, text):
        self.send("log", {"ts": unix_ms(), "level": level, "text": text})


def hardware():
    """What the node runs on, as one short text."""
    return getattr(sys.implementation, "_machine", sys.platform)[:128]


def main(path):
    """Run the node that the file `path` describes until it is stopped. Returns the exit code."""
    folder = path[: path.rfind("/") + 1]
    try:
        given = late.call("config", "load", path)
        credential = _credential(given, folder)
    except (Invalid, OSError) as error:
        print("esp_node: %s: %s" % (path, error))
        return 2
    if credential is None:
        return 3
    gc.collect()
    Node(given, credential, folder).run()
    return 0


def _credential(given, folder):
    if given["token"] is None:
        return {"node": given["node"], "password": given["password"], "verify": given["verify"]}
    known = store.read(folder + "credential.json", None)
    if known:
        return known
    problem, credential = late.call("enrol", "enrol", given, folder, SOFTWARE, hardware())
    if problem:
        print("esp_node: token: refused: " + problem)
    return credential


def _now():
    # Multiples of an interval on the real clock, so that a restart keeps the pace; on the steady one while it is not set.
    return unix_ms() or mono_ms()


def _random_name():
    return "e-" + str(binascii.hexlify(os.urandom(8)), "ascii")
