"""What the letters of the rig's menu do and answer, for the console of a node, the command `rig`, and a sentry. Loaded
for each."""

from esp_node.mining.report import figures
from schema import i2c
from schema.errors import Invalid

# Letter -> what it does, with what it wants besides: "slave", "value" (an address) or nothing.
LETTERS = {
    "a": ("choose the slave that the next letters are about", "value"),
    "c": ("connect it: ask it anew at once", "slave"),
    "d": ("drop its connection: left alone until c, n, s or a restart", "slave"),
    "i": ("its statistics", "slave"),
    "l": ("loop: the overview again and again, until any key", ""),
    "m": ("one step of its state machine now", "slave"),
    "n": ("new slave: take up the one at an address", "value"),
    "o": ("overview", ""),
    "q": ("its status, as it says itself", "slave"),
    "r": ("request: ask the pool for a job", "slave"),
    "s": ("start: take up all, and look for new ones", ""),
    "t": ("transfer: hand over its next job now", "slave"),
    "v": ("give it a new address, which it keeps", "slave value"),
    "w": ("its waiting result, as it says itself", "slave"),
    "x": ("end: drop all", ""),
    "?": ("these lines", ""),
}
WIDTH = 78


def answer(rig, letter, address, value, now, unix_ms):
    """Do what `letter` says, to the slave at `address` where it is about one (None: none was chosen), with the number
    `value` where it wants one. Returns lines of text; Invalid names what is wrong: letter, slave or value. What goes
    wrong on the bus is a line, too."""
    if type(letter) is not str or letter not in LETTERS:
        raise Invalid("letter", "must be one of " + " ".join(sorted(LETTERS)))
    wants = LETTERS[letter][1]
    if "slave" in wants and (type(address) is not int or address not in rig.slaves):
        raise Invalid("slave", _which(rig))
    if "value" in wants:
        _check(rig, letter, value)
    slave = rig.slaves.get(address)
    try:
        lines = _ANSWERS[letter](rig, slave, value, now, unix_ms)
    except (OSError, Invalid) as error:
        if isinstance(error, Invalid) and error.field in ("slave", "value"):
            raise
        lines = [_fault(address, error)]
    return [line[:WIDTH] for line in lines]


def _which(rig):
    there = ", ".join([str(address) for address in sorted(rig.slaves)])
    return "must be the address of a slave: " + there if there else "there is none yet"


def _check(rig, letter, value):
    if letter == "a":
        if type(value) is not int or value not in rig.slaves:
            raise Invalid("value", _which(rig))
        return
    if type(value) is not int or not i2c.FIRST_ADDRESS <= value <= i2c.LAST_ADDRESS:
        raise Invalid("value", "must be an address from %d to %d" % (i2c.FIRST_ADDRESS, i2c.LAST_ADDRESS))
    if letter == "v" and value in rig.slaves:
        raise Invalid("value", "there is a slave at %d already" % value)


def _fault(address, error):
    return "%s %s: %s" % (address, "does not answer" if isinstance(error, OSError) else "answers wrong", error)


def _overview(rig, *_):
    slaves = sorted(rig.slaves.items())
    return ["cons %d" % len(slaves)] + ["%d %s" % (address, slave.server) for address, slave in slaves]


def _choose(_rig, _slave, value, *_):
    return ["slave %d" % value]


def _connect(rig, slave, _value, now, unix_ms):
    return _taken_up(rig, slave.address, now, unix_ms)


def _new(rig, _slave, value, now, unix_ms):
    return _taken_up(rig, value, now, unix_ms)


def _taken_up(rig, address, now, unix_ms):
    error = rig.take_up(address, now, unix_ms)
    return [_fault(address, error) if error else "%d %s" % (address, rig.slaves[address].server)]


def _drop(rig, slave, *_):
    rig.drop(slave.address)
    return ["%d closed" % slave.address]


def _end(rig, *_):
    rig.close()
    return ["%d closed" % address for address in sorted(rig.slaves)] or ["closed"]


def _start(rig, _slave, _value, now, unix_ms):
    errors = [("scan", rig.find(now))]
    for address in sorted(rig.slaves):
        if rig.slaves[address].server == "D":
            errors.append((address, rig.take_up(address, now, unix_ms)))
    return [_fault(where, error) for where, error in errors if error] + _overview(rig)


def _statistics(_rig, slave, _value, now, _unix_ms):
    did = figures(slave, now)
    judged = did["accepted"] + did["refused"] + did["lost"]
    lines = [
        "Target %d  Connected %s" % (slave.address, slave.server != "D"),
        "Name >I2C %d %s<" % (slave.address, slave.name),
        "Requests  %d" % did["requests"],
        "ReqWait  %d  per  %d" % (did["request_wait_ms"], did["request_wait_ms"] // max(1, did["requests"])),
        "SndWait  %d  per  %d" % (did["send_wait_ms"], did["send_wait_ms"] // max(1, judged)),
        "Ela  %d Res %d Avg  %d" % (did["elapsed_ms"], did["hashes"], did["hashrate"]),
        "Targ Busy  %d" % did["busy_pct"],
        "Last " + did["last"],
        "New  " + did["new"],
        "Diffi  %d" % did["difficulty"],
    ]
    for name in ("refused", "lost", "faults", "stale"):
        if did[name]:
            lines.append("%s  %d" % (name[0].upper() + name[1:], did[name]))
    return lines


def _step(rig, slave, _value, now, unix_ms):
    _in_use(rig, slave)
    error = rig.serve(slave, now, unix_ms)
    if error:
        return [_fault(slave.address, error)]
    return ["%d %s, run state %s, %d jobs in hand" % (slave.address, slave.server, slave.state, len(slave.jobs))]


def _in_use(rig, slave):
    if rig.is_dropped(slave):
        raise Invalid("slave", "was dropped; c takes it up again")


def _status(rig, slave, *_):
    state, letter, running, staged, result, error = i2c.unpack_status(slave.tell(rig.bus, i2c.STATUS))
    text = "%s after %s: job %d runs, %d is staged, %d has its result" % (state, letter, running, staged, result)
    return [text] + (["error %d: %s" % (error, i2c.ERRORS.get(error, "unknown"))] if error else [])


def _result(rig, slave, *_):
    job, found, nonce, elapsed_us, hashes = i2c.unpack_result(slave.tell(rig.bus, i2c.RESULT))
    if not job:
        return ["no result waits"]
    return ["job %d: %s, %d ms, %d hashes" % (job, nonce if found else "no nonce", elapsed_us // 1000, hashes)]


def _request(rig, slave, *_):
    if slave.server == "D":
        raise Invalid("slave", "is not connected; c asks it anew")
    rig.tell.announce(slave)
    return ["%d asks for a job" % slave.address]


def _transfer(rig, slave, _value, now, unix_ms):
    _in_use(rig, slave)
    for _ in range(2):  # the first step may have to find out whether there is room
        waiting = [job for job in slave.jobs if not job.number]
        if not waiting:
            return ["no job waits"]
        error = rig.serve(slave, now, unix_ms)
        if error:
            return [_fault(slave.address, error)]
        if waiting[0].number:
            return ["%d K, job %s" % (slave.address, waiting[0].id)]
    return ["%d has no room: it hashes a job, and has one staged" % slave.address]


def _readdress(rig, slave, value, now, _unix_ms):
    if value in rig.bus.scan():
        raise Invalid("value", "something else is at %d already" % value)
    before = slave.address
    rig.readdress(before, value, now)
    return ["%d starts anew as %d" % (before, value)]


def _help(*_):
    return ["%s  %s" % (letter, LETTERS[letter][0]) for letter in sorted(LETTERS)]


_ANSWERS = {
    "a": _choose, "c": _connect, "d": _drop, "i": _statistics, "l": _overview, "m": _step, "n": _new, "o": _overview,
    "q": _status, "r": _request, "s": _start, "t": _transfer, "v": _readdress, "w": _result, "x": _end, "?": _help,
}  # fmt: skip
