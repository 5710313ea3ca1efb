"""What the node must not lose: a bounded queue of numbered events, kept until the commander's mark has passed them.

A stream is named at random and its events are counted without holes. When the queue is full the oldest events go to
the spill file (spill.py) if there is one; else they are given up. `take` says what to send, the caller sends; every
number behind the mark that nobody holds any more comes out of it as a gap (`evt/gap`), so that the mark can pass it.
"""

_RESEND_MS = 5000
_RESEND_MOST_MS = 60000


class Outbox:
    """At most `events` entries and `size` bytes in memory. `dropped` counts the events given up. With a `spill`
    (spill.Spill) the stream is that of the files and goes on after a restart; without, it is `stream`, a new name."""

    def __init__(self, stream, events=32, size=4096, hears_marks=True, spill=None):
        self.events = events
        self.size = size
        self.hears_marks = hears_marks
        self.spill = spill
        self.stream = spill.stream if spill else stream
        self.seq = self._resumed = spill.numbered if spill else 0
        self.mark = 0
        self.held = 0
        self.dropped = 0
        self.queue = []  # (seq, topic, payload), oldest first, without holes
        self._next = 1  # seq of the next event to send
        # Whoever goes on with a stream hears first how much of it is stored, lest it declares that as lost.
        self._heard = self._sure = not (self._resumed and hears_marks)
        self._resend_at = None
        self._pause = _RESEND_MS

    def __len__(self):
        return len(self.queue) + (self.spill.count if self.spill else 0)

    def put(self, topic, payload):
        """Queue an event (topic, payload bytes) as number seq + 1, which the payload names. False, and no number used,
        when the flash takes no more numbers: without that a number could be given twice."""
        if self.spill and not self.spill.reserve(self.seq + 1):
            self.dropped += 1
            return False
        self.seq += 1
        self.queue.append((self.seq, topic, payload))
        self.held += len(payload)
        while len(self.queue) > self.events or (self.held > self.size and len(self.queue) > 1):
            self._make_room()
        return True

    def take(self):
        """The next (seq, topic, payload) to send, or None. A gap comes as (0, None, [from, to, why])."""
        if self._next > self.seq or not self._sure:
            return None
        item = self._find()
        seq = item[0] if item else self.seq + 1
        if seq > self._next:
            gap = [self._next, seq - 1, "queue full" if seq > self._resumed + 1 else "restart"]
            self._next = seq
            return 0, None, gap
        self._next += 1
        return item

    def stored(self, mark):
        """The commander has everything up to `mark`: forget it."""
        self._heard = self._sure = True
        if mark > self.seq or mark == self.mark:
            return
        if mark < self.mark:  # it was restored from a backup, and waits for what is gone
            self._next = 0
        self.mark = mark
        self._pause = _RESEND_MS
        self._resend_at = None
        while self.queue and self.queue[0][0] <= mark:
            self._pop()
        if self.spill:
            self.spill.forget(mark)
        if self._next <= mark:
            self.rewind()

    def rewind(self):
        """A new connection: send everything again."""
        self._next = self.mark + 1
        self._resend_at = None
        self._sure = self._heard

    def tick(self, now):
        """Call now and then with a steady clock (ms): sends again, ever slower, while the mark stands still."""
        if not self.hears_marks or (self._sure and self._next == self.mark + 1):
            self._resend_at = None
            if self.spill and not self.hears_marks:
                self.spill.forget(self._next - 1)
        elif self._resend_at is None:
            self._resend_at = now + self._pause
        elif now >= self._resend_at:
            if self._sure:
                self._pause = min(self._pause * 2, _RESEND_MOST_MS)
            self.rewind()
            self._sure = True

    def close(self):
        """Before an orderly restart: with a spill file everything is kept, and no number lost."""
        if self.spill:
            self.spill.close(self)

    def _make_room(self):
        if not self.hears_marks and self.queue[0][0] < self._next:
            self._pop()  # sent, and nobody will ever say that it arrived
        elif not self.spill or not self.spill.absorb(self):
            self._pop()
            self.dropped += 1

    def _find(self):
        # The first event from _next on that is still held.
        if self.spill and self._next <= self.spill.last:
            item = self.spill.read(self._next)
            if item:
                return item
        if self.queue:
            return self.queue[max(0, self._next - self.queue[0][0])]

    def _pop(self):
        self.held -= len(self.queue.pop(0)[2])
