"""Letters of the rig's menu that do something. Loaded for each. What goes wrong on the bus is raised."""

from schema.errors import Invalid


def act(rig, letter, slave, value, now, unix_ms):
    """Do what `letter` says, to `slave` where it is about one. Returns lines of text; Invalid names slave or value when
    that is not possible."""
    if letter == "x":
        rig.close()
        return ["%d closed" % address for address in sorted(rig.slaves)] or ["closed"]
    if letter == "n":
        return [_connected(rig, value, now, unix_ms)]
    if letter == "c":
        return [_connected(rig, slave.address, now, unix_ms)]
    if letter == "d":
        rig.drop(slave.address)
        return ["%d closed" % slave.address]
    if letter == "v":
        return [_moved(rig, slave.address, value, now)]
    if letter == "r":
        if slave.server == "D":
            raise Invalid("slave", "is not connected; c asks it anew")
        rig.tell.announce(slave)
        return ["%d asks for a job" % slave.address]
    if rig.is_dropped(slave):
        raise Invalid("slave", "was dropped; c takes it up again")
    return [_handed_over(rig, slave, now, unix_ms) if letter == "t" else _stepped(rig, slave, now, unix_ms)]


def _connected(rig, address, now, unix_ms):
    _check(rig.take_up(address, now, unix_ms))
    return "%d %s" % (address, rig.slaves[address].server)


def _moved(rig, before, to, now):
    if to in rig.slaves or to in rig.bus.scan():
        raise Invalid("value", "there is something at %d already" % to)
    rig.readdress(before, to, now)
    return "%d starts anew as %d" % (before, to)


def _stepped(rig, slave, now, unix_ms):
    _check(rig.serve(slave, now, unix_ms))
    return "%d %s, run state %s, %d jobs in hand" % (slave.address, slave.server, slave.state, len(slave.jobs))


def _handed_over(rig, slave, now, unix_ms):
    for _ in range(2):  # the first step may have to find out whether there is room
        waiting = [job for job in slave.jobs if not job.number]
        if not waiting:
            return "no job waits"
        _check(rig.serve(slave, now, unix_ms))
        if waiting[0].number:
            return "%d K, job %s" % (slave.address, waiting[0].id)
    return "%d has no room: it hashes a job, and has one staged" % slave.address


def _check(error):
    if error:
        raise error
