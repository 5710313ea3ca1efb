"""One AVR on the bus (schema/i2c.py): what it is told, what it has in hand, what it did.

A bus has write(address, data) and read(address, size) -> bytes; OSError when the slave does not answer. Times are ms of
a steady clock. `server` is the seed's letter for the pool's side: D disconnected, C connected, R job asked for, J job
there, K job handed over, E share sent, F refused, G accepted.
"""

import binascii

from schema import i2c
from schema.errors import Invalid

NEVER = 1 << 62  # ms
_TRIES = 3
_MOST_OFFERS = 4
_MOST_SENT = 8  # shares whose verdict may still come; a gateway that is gone must not fill the heap
_POLL_MS = 2  # while the slave would have to wait for us
_LONGEST_POLL_MS = 1000
_FASTEST = 3000  # H/s, until it is known
_WRONG_CRC = 1


class Job:
    """A job in hand. `number`: what the slave knows it by, 0 while it does not."""

    def __init__(self, offer):
        self.id = offer["id"]
        self.last = offer["last"]
        self.target = offer["target"]
        self.difficulty = offer["difficulty"]
        self.until = offer["until"]
        self.number = 0


class Slave:
    """The slave at `address`. To read: `identity` (None until it is known), `name`, `server`, `state` (its run state),
    `jobs` in hand, and what it did: requests, request_wait_ms, shares, send_wait_ms, elapsed_us, hashes, accepted,
    refused, lost, faults, stale, latest (the Job it works at, or worked at last)."""

    def __init__(self, address, now):
        self.address = address
        self.identity = None
        self.name = ""
        self.server = "D"
        self.state = ""
        self.jobs = []
        self.latest = None
        self.since = now
        self.due = now
        self.requests = self.request_wait_ms = self.shares = self.send_wait_ms = 0
        self.elapsed_us = self.hashes = self.accepted = self.refused = self.lost = self.faults = self.stale = 0
        self._pace = 0
        self._busy = self._full = self._room = False  # as far as is known: hashing, no room for a job, room for one
        self._shows = False  # the status is its answer
        self._number = self._collected = 0
        self._asked = now  # when a job was asked for: at the announcement, and with each share
        self._owed = 0  # jobs asked for that are not there yet
        self._sent = {}  # id of a share without a verdict -> when

    def begin(self, bus, pace):
        """Ask who it is, clear what it may have from before, limit its hash rate to `pace` H/s (0: no limit)."""
        self._pace = pace
        self.identity = i2c.unpack_identity(self.tell(bus, i2c.IDENTITY))
        self.name = "AVR v%d %d MHz DUCOID%s" % (self.identity[3], self.identity[2], self.chip())
        self.tell(bus, i2c.CLEAR)
        if pace and self.can(i2c.PACING):
            self.tell(bus, i2c.PACE, i2c.pack_pace(pace))
        for job in self.jobs:
            job.number = 0
        self._busy = self._full = self._room = False
        self.server = "C"

    def can(self, what):
        """True when its identity says so."""
        return bool(self.identity[1] & what)

    def chip(self):
        """16 hex digits, always the same for one chip."""
        return str(binascii.hexlify(self.identity[4]), "ascii").upper()

    def ask(self, now):
        """It has been announced: a job will come."""
        self.server = "R"
        self._asked = now
        self._owed = 1

    def offer(self, offer, now):
        """A job came (see schema/mining.py); one that is in hand already changes nothing."""
        if offer["id"] in self._sent or offer["id"] in [job.id for job in self.jobs]:
            return
        if len(self.jobs) >= _MOST_OFFERS:
            raise Invalid("job", "is one too many: %d are in hand" % _MOST_OFFERS)
        if not 0 < offer["difficulty"] <= self.identity[6]:
            raise Invalid("job.difficulty", "must be from 1 to %d" % self.identity[6])
        self.jobs.append(Job(offer))
        self.requests += 1
        self.request_wait_ms += now - self._asked
        self._asked = now
        self._owed = max(0, self._owed - 1)
        if self.server != "D":  # only begin() ends that
            self.server = "J"
            self.due = now

    def verdict(self, verdict, now):
        """The pool's word of a share came."""
        word = verdict["word"]
        for job in list(self.jobs):
            if job.id == verdict["id"] and word == "LOST" and not job.number:
                self.jobs.remove(job)  # it has not begun: no pool wants its share
        sent = self._sent.pop(verdict["id"], None)
        if sent is None:
            return
        self.send_wait_ms += now - sent
        if word in ("GOOD", "BLOCK"):
            self.accepted += 1
            server = "G"
        elif word == "LOST":
            self.lost += 1
            server = "R"
        else:
            self.refused += 1
            server = "F"
        if self.server != "D":
            self.server = server

    def poll(self, bus, now, unix_ms):
        """Look what it did, and hand it what it can take. Returns its share {id, nonce, elapsed_us, hashrate, chip}, or
        None. OSError or Invalid when it does not answer as it should."""
        waiting = self._waiting(unix_ms)
        share = None
        if waiting and self._room:
            self._hand_over(bus, waiting)
        elif not (self._busy and self._shows):
            share = self._look(bus, now)
        else:
            # One byte of its status tells whether there is something new. If it is wrong, that is seen the next time.
            head = chr(bus.read(self.address, 1)[0])
            if head == i2c.NEWS:
                share = self._collect(bus, now)
            elif head != i2c.STATUS:
                share = self._look(bus, now)
        self.due = now if self._room and self._waiting(unix_ms) else now + self._pause_ms()
        return share

    def _look(self, bus, now):
        # Its whole status.
        self.state, _, running, staged, result, _ = i2c.unpack_status(self.tell(bus, i2c.STATUS))
        self._shows = True
        self._busy = bool(running)
        self._full = bool(running and (staged or not self.can(i2c.STAGING)))
        self._room = not self._full and not staged
        if result:
            return self._collect(bus, now)
        for job in self.jobs:
            if job.number and job.number not in (running, staged):
                self.begin(bus, self._pace)  # it was reset, and has forgotten its pace as well
                self._room = True
                break

    def _waiting(self, unix_ms):
        # The oldest job that it has not; what the pool takes no more is dropped.
        for job in list(self.jobs):
            if not job.number:
                if not 0 < job.until < unix_ms:
                    return job
                self.jobs.remove(job)

    def tell(self, bus, letter, payload=b"", answered=True):
        """Payload of the answer to a command; again when a byte was wrong on the way. Invalid when it refuses."""
        message = i2c.frame(letter, payload)
        self._shows = False
        for left in range(_TRIES - 1, -1, -1):
            try:
                bus.write(self.address, message)
                if not answered:
                    return None
                got, answer = self._answer(bus, letter)
            except (OSError, Invalid):
                self.faults += 1
                if not left:
                    raise
                continue
            if got.upper() == letter:
                return answer
            error = i2c.unpack_refusal(answer)[1] if got == i2c.REFUSED else 0
            if error != _WRONG_CRC or not left:
                raise Invalid(letter, i2c.ERRORS.get(error, "was answered by " + got))
            self.faults += 1

    def _answer(self, bus, letter):
        # It can be read again: a wrong byte costs no new command.
        for left in range(_TRIES - 1, -1, -1):
            try:
                return i2c.parse(bus.read(self.address, i2c.answer_size(letter)))
            except Invalid:
                if not left:
                    raise
                self.faults += 1

    def _hand_over(self, bus, job):
        self._number = self._number % 255 + 1
        last, target = binascii.unhexlify(job.last), binascii.unhexlify(job.target)
        # The answer to the last says whether it has all three.
        self.tell(bus, i2c.LAST, i2c.pack_hash(self._number, last), False)
        self.tell(bus, i2c.NEW, i2c.pack_hash(self._number, target), False)
        job.number = self._number
        busy, self._busy, self._room = self._busy, False, False
        try:
            self.tell(bus, i2c.HASH, i2c.pack_start(self._number, job.difficulty))
        except Invalid:
            self.faults += 1
            return  # a look at it comes next, and then it is sent again under another number
        self._busy = True
        self._full = busy or not self.can(i2c.STAGING)
        self._room = not self._full
        self.state = i2c.BUSY
        self.latest = job
        self.server = "K"

    def _collect(self, bus, now):
        number, found, nonce, elapsed_us, hashes = i2c.unpack_result(self.tell(bus, i2c.RESULT))
        if not number:
            return None
        self.tell(bus, i2c.CLEAR, i2c.pack_job(number), False)
        job = None
        for each in self.jobs:
            if each.number == number:
                job = each
        if job is None:
            # Of a job that nobody here remembers: never credited. Or it did not hear that it was collected.
            self.stale += number != self._collected
            return None
        self._collected = number
        self.jobs.remove(job)
        # The job that was staged runs, if there was one.
        self._busy = bool([each for each in self.jobs if each.number])
        self._full = self._busy and not self.can(i2c.STAGING)
        self._room = not self._full
        self.state = i2c.BUSY if self._busy else i2c.IDLE
        self.shares += 1
        self.elapsed_us += elapsed_us
        self.hashes += hashes
        self._sent[job.id] = self._asked = now
        self._owed += 1
        if len(self._sent) > _MOST_SENT:
            self._sent.pop(min(self._sent, key=self._sent.get))
        self.server = "E"
        return {
            "id": job.id, "nonce": nonce if found else 0, "elapsed_us": elapsed_us,
            "hashrate": round(hashes * 1000000 / max(1, elapsed_us), 2), "chip": "DUCOID" + self.chip(),
        }  # fmt: skip

    def _pause_ms(self):
        # With a job staged, or one to come that was asked for, it never waits for us; a result comes at any time up to
        # its last nonce.
        if not self._busy:
            return _POLL_MS if self.jobs else _LONGEST_POLL_MS
        if not (self._full or self._owed) or not self.can(i2c.STAGING):
            return _POLL_MS
        rate = self.hashes * 1000000 // self.elapsed_us if self.elapsed_us else _FASTEST
        longest_ms = 100000 * self.latest.difficulty // max(1, rate)
        return max(_POLL_MS, min(_LONGEST_POLL_MS, longest_ms // 12))
