"""The node: `main` reads config.json, enrols if it must, and runs the loop. Read downwards; the parts are link, outbox,
scheduler, settings (what is measured), control (what the commander may tell it).

    micropython -X heapsize=64k main.py <folder>/config.json

Exit code 2: a wrong configuration; 3: the token was refused; 4: the heap is full (start it
again); 5: a `restart` command came (start it again). Ctrl-C is passed on.
"""

import json

from esp_node import late
from esp_node.clock import age_ms, unix_ms
from esp_node.logger import log
from esp_node.messages import SENT
from schema.errors import Invalid

_WINDOW = 8  # events on the way to the broker without a PUBACK
_REFUSALS = 8  # reports of refused messages per heartbeat: a flood of them must not push out events
_SYNC_MS = 6 * 3600000


class Node:
    """A running node; start.py, setup.py and drive.py say what its attributes are. What it does rarely is in modules
    that are loaded for it."""

    def leave(self, word=b"sleeping"):
        """Say `word` and close the connection; what waits is kept, where there is flash for it."""
        late.call("leaving", "leave", self, word)

    def sync(self):
        """Ask for the time, when it is unknown or some hours old, and there is a network."""
        age = age_ms()
        if self.link.connected and (age is None or age > _SYNC_MS):
            self.ntp.append(self.ntp.pop(0))  # after a failure the next server is asked
            late.call("ntp", "sync", self.ntp, -1)

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
        data["seq"] = self.outbox.seq + 1
        self.outbox.put(tail, _dumps(data))

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
            # A tail that begins with / is that of a device, not of the node itself.
            topic = self.prefix[:-6] + tail if tail[0] == "/" else self.prefix + tail
            self.link.publish(topic, payload, False, 1)
        return self.link.serve(min(1000, wait_ms))

    def heartbeat(self):
        """Every heartbeat_s: how the node is."""
        late.chain("beat", "beat", self)

    def connected(self):
        """After each connect: say who is there; and at what time, which a node that sleeps deeply has no other chance
        to ask for."""
        if self.ntp:
            late.chain("ntp", "first", self)
        else:
            late.call("birth", "hello", self)

    def received(self, topic, payload, retained):
        """A message came; what is wrong with it is reported, and never raises."""
        name = topic[len(self.prefix) :]
        try:
            if self.rig and not topic.startswith(self.prefix):
                return self.rig.heard(topic[len(self.prefix) - 5 :], payload)
            # Marks come every second, and the blobs of an update as fast as they can: nothing is loaded for these.
            mark = _mark(payload, self.outbox.stream) if name == "stored" else None
            if type(mark) is int:
                self.outbox.stored(mark)
            elif name == "blob/data" and payload is not None:
                if self.fetch:
                    self.fetch.take(payload)
            else:
                late.chain("incoming", "take", self, topic, name, payload, retained)
        except Invalid as error:
            self._refuse(topic, error)
        except MemoryError:
            self._refuse(topic, Invalid("heap", "is too small for this, or too full now"))

    def _refuse(self, topic, error):
        # Here, because it must work when there is no room to load anything.
        self.refused += 1
        if self.refused <= _REFUSALS:
            self.event("evt/refused", {"topic": topic, "field": error.field, "problem": error.problem})
        log("warning", "refused %s: %s" % (topic[len(self.prefix) :], error))
        if self.adopting:
            late.chain("measuring", "undo", self, error)

    def watch(self):
        """Every few seconds until this start is confirmed."""
        self.linked = late.call("guard", "check", self, self.linked)

    def task_failed(self, task, error):
        """The scheduler's word that a task raised `error`."""
        try:
            late.call("trouble", "failed", self, task, error)
        except MemoryError:  # no room: then at the task's next failure
            pass

    def task_recovered(self, task):
        """The scheduler's word that a task works again."""
        log("info", task.name + " works again")
        if self.alerts.get(task.name):
            self.alerts[task.name] = b""
            self.send("alert", b"", task.name)

    def log_line(self, level, text):
        """The logger's word of each line."""
        self.send("log", {"ts": unix_ms(), "level": level, "text": text})


def _dumps(data):
    return json.dumps(data, separators=(",", ":")).encode()


def _mark(payload, stream):
    # The number for `stream`, or what cannot be one.
    try:
        return json.loads(payload or b'{"marks":{}}')["marks"].get(stream, 0) if payload is not None else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def main(path):
    """Run the node that the file `path` describes until it is stopped. Returns the exit code."""
    node = Node()
    try:
        try:
            late.chain("start", "begin", node, path)
        except Invalid as error:
            late.chain("measuring", "without", node, error)
        if node.code:
            return node.code
        # Not where they are used first, because they shall stay; one by one, because reading needs room, too.
        import umqtt.simple  # noqa: F401

        from esp_node.link import Link  # noqa: F401

        late.chain("setup", "fill", node)
        try:
            node.scheduler.run_forever(*node.driver)
        except KeyboardInterrupt:
            node.leave(b"disconnected")
            raise
        node.leave(b"disconnected")
        return 5
    except Invalid as error:
        print("esp_node: %s: %s" % (path, error))
        return 2
    except MemoryError:
        print("esp_node: the heap is full")
        return 4
