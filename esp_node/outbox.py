"""What the node must not lose: a bounded queue of numbered events, kept until the commander's mark
has passed them.

A stream is named at random at each start and its events are counted without holes. When the queue
is full the oldest event is given up
and the hole declared (`evt/gap`), so that the mark can pass it. No I/O here: `take` says what to
send, the caller sends.
"""

_RESEND_MS = 5000
_RESEND_MOST_MS = 60000


class Outbox:
    """At most `events` entries and `size` bytes. `dropped` counts what was given up; `gap` is
    [from, to] of it, or None."""

    def __init__(self, stream, events=32, size=4096, hears_marks=True):
        self.stream = stream
        self.events = events
        self.size = size
        self.hears_marks = hears_marks
        self.seq = 0
        self.mark = 0
        self.held = 0
        self.dropped = 0
        self.gap = None
        self.queue = []  # (seq, topic, payload), oldest first
        self._sent = 0  # how many of the queue were sent on this connection
        self._gap_sent = False
        self._resend_at = None
        self._pause = _RESEND_MS

    def __len__(self):
        return len(self.queue)

    def number(self):
        """seq of the next event: put it into the payload, then `put` it."""
        return self.seq + 1

    def put(self, topic, payload):
        """Queue an event (topic, payload bytes) as number seq + 1, at the cost of the oldest ones
        when there is no room."""
        self.seq += 1
        self.queue.append((self.seq, topic, payload))
        self.held += len(payload)
        while len(self.queue) > self.events or (self.held > self.size and len(self.queue) > 1):
            lost = self._pop()
            self.dropped += 1
            self.gap = [self.gap[0] if self.gap else lost, lost]
            self._gap_sent = False

    def take(self):
        """The next (seq, topic, payload) to send, or None. A gap comes as (0, None, [from, to])."""
        if self.gap and not self._gap_sent:
            self._gap_sent = True
            return 0, None, self.gap
        if self._sent < len(self.queue):
            self._sent += 1
            return self.queue[self._sent - 1]
        return None

    def stored(self, mark):
        """The commander has everything up to `mark`: forget it."""
        if mark > self.seq or mark <= self.mark:
            return
        self.mark = mark
        self._pause = _RESEND_MS
        self._resend_at = None
        while self.queue and self.queue[0][0] <= mark:
            self._pop()
        if self.gap and mark >= self.gap[1]:
            self.gap = None

    def rewind(self):
        """A new connection: send everything again."""
        self._sent = 0
        self._gap_sent = False
        self._resend_at = None

    def tick(self, now):
        """Call now and then with a steady clock (ms): sends again, ever slower, while the mark
        stands still."""
        if not self.hears_marks or not (self._sent or self._gap_sent):
            self._resend_at = None
        elif self._resend_at is None:
            self._resend_at = now + self._pause
        elif now >= self._resend_at:
            self._pause = min(self._pause * 2, _RESEND_MOST_MS)
            self.rewind()

    def _pop(self):
        seq, _topic, payload = self.queue.pop(0)
        self.held -= len(payload)
        self._sent = max(0, self._sent - 1)
        return seq
