"""Letters of the rig's menu that only tell something. Loaded for each. What goes wrong on the bus is raised."""

from schema import i2c

HELP = {
    "a": "choose the slave that the next letters are about",
    "c": "connect it: ask it anew at once",
    "d": "drop its connection: left alone until c, n, s or a restart",
    "i": "its statistics",
    "l": "loop: the overview again and again, until any key",
    "m": "one step of its state machine now",
    "n": "new slave: take up the one at an address",
    "o": "overview",
    "q": "its status, as it says itself",
    "r": "request: ask the pool for a job",
    "s": "start: take up all, and look for new ones",
    "t": "transfer: hand over its next job now",
    "v": "give it a new address, which it keeps",
    "w": "its waiting result, as it says itself",
    "x": "end: drop all",
}
_SHOWN_UNLESS_ZERO = ("refused", "lost", "faults", "stale")


def page(rig, letter, slave, now):
    """Lines of text: what `letter` tells, of `slave` where it is about one."""
    if letter == "?":
        return ["%s  %s" % (each, HELP[each]) for each in sorted(HELP)]
    if letter == "a":
        return ["slave %d" % slave.address]
    if letter == "q":
        return _status(rig, slave)
    return _result(rig, slave) if letter == "w" else _statistics(slave, now)


def _status(rig, slave):
    state, letter, running, staged, result, error = i2c.unpack_status(slave.tell(rig.bus, i2c.STATUS))
    text = "%s after %s: job %d runs, %d is staged, %d has its result" % (state, letter, running, staged, result)
    return [text] + (["error %d: %s" % (error, i2c.ERRORS.get(error, "unknown"))] if error else [])


def _result(rig, slave):
    job, found, nonce, elapsed_us, hashes = i2c.unpack_result(slave.tell(rig.bus, i2c.RESULT))
    if not job:
        return ["no result waits"]
    return ["job %d: %s, %d ms, %d hashes" % (job, nonce if found else "no nonce", elapsed_us // 1000, hashes)]


def _statistics(slave, now):
    # In the words of the seed's menu.
    from esp_node.mining.report import figures

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
    for name in _SHOWN_UNLESS_ZERO:
        if did[name]:
            lines.append("%s  %d" % (name[0].upper() + name[1:], did[name]))
    return lines
