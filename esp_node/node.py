"""The node: `main` reads config.json, enrols if it must, and runs the loop. Read downwards; the parts are link, outbox,
scheduler, settings (what is measured), control (what the commander may tell it).

    micropython -X heapsize=64k main.py <folder>/config.json

Exit code 2: a wrong configuration; 3: the token was refused; 4: the heap is full (start it
again); 5: a `restart` command came (start it again). Ctrl-C is passed on.
"""

import gc
import json

from esp_node import late, logger, store
from esp_node.clock import age_ms, mono_ms, paced_ms, unix_ms
from esp_node.messages import SENT
from schema.errors import Invalid

_WINDOW = 8  # events on the way to the broker without a PUBACK
_REFUSALS = 8  # reports of refused messages per heartbeat: a flood of them must not push out events
_SYNC_MS = 6 * 3600000
_ALERT_AFTER = 3  # failures in a row: one bad checksum is not worth waking anybody


class Node:
    """A running node; esp_node/setup.py says what its attributes are."""

    def run(self):
        """The loop, until a `restart` command or Ctrl-C; says `disconnected` at its end."""
        try:
            self.scheduler.run_forever(self.clock, self.wait)
        except KeyboardInterrupt:
            self.leave(b"disconnected")
            raise
        self.leave(b"disconnected")

    def leave(self, word=b"sleeping"):
        """Say `word` and close the connection; what waits is kept, where there is flash for it. New settings and new
        software have let the node come to a proper end: they are confirmed."""
        if self.link.connected:
            self.heartbeat()  # one that sleeps deeply has none while it is connected
            late.call("settings", "confirm", self)
            late.call("guard", "confirm", self)
        self.outbox.close()
        if logger.file:
            logger.file.flush()
        if self.link.connected:
            self.send("state", word)
            self.link.cb = lambda topic, payload, retained: None  # too late; a document is retained
            while self.link.connected and self.link.unacked:  # closed with an answer unread, it could be lost
                self.link.serve(1000)
            self.link.disconnect()

    def busy(self):
        """True while a sleeping node has a reason to stay awake a little longer."""
        return bool(not self.link.connected or self.link.unacked or len(self.outbox) or self.job)

    def sync(self):
        """Ask for the time, when it is unknown or some hours old, and there is a network."""
        age = age_ms()
        if self.link.connected and (age is None or age > _SYNC_MS):
            self.syncs += 1  # after a failure the next server is asked
            late.call("ntp", "sync", self.ntp, self.syncs - 1)

    def send(self, channel, data, name=""):
        """Publish now, or not at all while the link is down: state, info, reported, ack, log, heartbeats."""
        if self.link.connected:
            flags = SENT[channel]
            topic = self.prefix + channel + ("/" + name if name else "")
            self.link.publish(topic, data if isinstance(data, bytes) else _dumps(data), bool(flags & 2), flags & 1)

    def event(self, tail, data):
        """Queue an event or telemetry that must reach the database; `tail` is its topic below the node's, best a
        constant.
        """
        if "ts" not in data:
            data["ts"] = unix_ms()
        data["stream"] = self.outbox.stream
        data["seq"] = self.outbox.number()
        self.outbox.put(tail, _dumps(data))

    def alert(self, name, text=None):
        """Raise the alert `name`, or clear it; what stands is said again after each connect."""
        if text is None:
            self.alerts[name] = b""
        else:
            self.alerts[name] = _dumps({"since": unix_ms(), "severity": "error", "text": text})
        self.send("alert", self.alerts[name], name)

    def serve(self, wait_ms):
        """Serve the link for at most `wait_ms`, and at most a second. True when there may be more to do at once."""
        if self.feed:
            self.feed()
        if self.wanted or self.job or (self.console and self.console.poll(0)):
            if late.call("errands", "run", self):
                wait_ms = 0
        if self.wifi:
            self.wifi.step()
        while self.link.connected and self.link.unacked < _WINDOW:
            item = self.outbox.take()
            if item is None:
                break
            seq, tail, payload = item
            if seq == 0:
                gap = {"ts": unix_ms(), "stream": self.outbox.stream, "from": payload[0], "to": payload[1]}
                gap["why"] = payload[2]
                tail, payload = "evt/gap", _dumps(gap)
            self.link.publish(self.prefix + tail, payload, False, 1)
        return self.link.serve(min(1000, wait_ms))

    def heartbeat(self):
        """Every heartbeat_s: how the node is; and what waits for a proof that the link works is confirmed."""
        gc.collect()
        self.refused = 0
        if logger.file:
            logger.file.tick()
        self.outbox.tick(mono_ms())
        data = self.outbox.counters(self.link)
        data["ts"] = unix_ms()
        data["uptime_s"] = mono_ms() // 1000
        if hasattr(gc, "mem_free"):
            data["mem_free"] = gc.mem_free()
        self.send("tele", data, "node")
        for framed in self.framed:
            framed.frames.expire(paced_ms())
        if self.on_trial and self.link.connected:
            self.on_trial -= 1
            if not self.on_trial:
                late.call("settings", "confirm", self)

    def connected(self):
        """After each connect: subscribe, and say who is there; and at what time, which a node that sleeps deeply has no
        other chance to ask for."""
        if self.ntp:
            try:
                self.sync()
            except (OSError, ValueError) as error:  # the task `time` tries again
                logger.log("warning", "time: %s" % error)
        late.call("birth", "hello", self)
        logger.log("info", "connected to %s:%d" % (self.link.server, self.link.port))

    def received(self, topic, payload, retained):
        """A message came; what is wrong with it is reported, and never raises."""
        name = topic[len(self.prefix) :]
        try:
            if payload is None:
                raise Invalid("payload", "is too large; at most %d bytes" % self.link.limit)
            if name == "stored":
                self.outbox.stored(_mark(payload, self.outbox.stream))
            elif name == "blob/data":
                if self.fetch:
                    self.fetch.take(payload)
            elif name.startswith("cmd/") and retained:
                raise Invalid("retain", "a command must not be retained")
            elif payload:
                channel, _, name = name.partition("/")
                # One after the other, so that the checks have left the heap when the body is acted upon.
                body = late.call("verify", "unseal", channel, topic, payload, self.verify)
                payload = None
                if channel == "desired":
                    late.chain("control", "desired", self, name, body)
                else:
                    late.call("control", "command", self, name, body)
        except Invalid as error:
            self._refuse(topic, error)
        except MemoryError:
            self._refuse(topic, Invalid("heap", "is too small for this, or too full now"))

    def watch(self):
        """Every few seconds until this start is confirmed."""
        self.linked = late.call("guard", "check", self, self.linked)

    def remember(self, seen):
        """Keep what was seen signed: epoch, revisions, command ids."""
        store.write(self.folder + "seen.json", seen)
        self.seen = seen

    def _refuse(self, topic, error):
        self.refused += 1
        if self.refused <= _REFUSALS:
            self.event("evt/refused", {"topic": topic, "field": error.field, "problem": error.problem})
        logger.log("warning", "refused %s: %s" % (topic[len(self.prefix) :], error))
        if self.adopting:
            late.chain("measuring", "undo", self, error)

    def task_failed(self, task, error):
        """The scheduler's word that a task raised `error`."""
        text = "%s: %s %s" % (task.name, type(error).__name__, error)
        if task.failures in (1, 10, 100) or task.failures % 1000 == 0:
            logger.log("error", "%s (%d times)" % (text, task.failures))
        if task.failures == _ALERT_AFTER:
            self.alert(task.name, text)

    def task_recovered(self, task):
        """The scheduler's word that a task works again."""
        logger.log("info", task.name + " works again")
        if self.alerts.get(task.name):
            self.alert(task.name)

    def log_line(self, level, text):
        """The logger's word of each line."""
        self.send("log", {"ts": unix_ms(), "level": level, "text": text})


def _dumps(data):
    return json.dumps(data, separators=(",", ":")).encode()


def _mark(payload, stream):
    # As the declaration says, in three lines: marks come every second, the whole of `schema` need not.
    try:
        mark = json.loads(payload or b'{"marks":{}}')["marks"].get(stream, 0)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Invalid("marks", "must be an object of stream -> number")
    if type(mark) is not int:
        raise Invalid("marks." + stream, "must be a whole number")
    return mark


def main(path):
    """Run the node that the file `path` describes until it is stopped. Returns the exit code."""
    node = Node()
    try:
        late.call("start", "begin", node, path)
        if node.code:
            return node.code
        try:
            late.chain("measuring", "resume", node)
        except Invalid as error:
            late.chain("measuring", "without", node, error)
        # Not where they are used first, because they shall stay; one by one, because reading needs room, too.
        import umqtt.simple  # noqa: F401

        from esp_node.link import Link  # noqa: F401

        late.chain("setup", "fill", node)
        node.run()
        return 5
    except Invalid as error:
        print("esp_node: %s: %s" % (path, error))
        return 2
    except MemoryError:
        print("esp_node: the heap is full")
        return 4
