"""The letters of the rig's menu, for the console of a node, the command `rig`, and a sentry. Loaded for each, with what
it is to do (menu_acts.py) or to say (menu_pages.py)."""

from schema import i2c
from schema.errors import Invalid

LETTERS = "?acdilmnoqrstvwx"
WIDTH = 78
_OF_A_SLAVE = "cdimqrtvw"
_ACTS = "cdmnrtvx"
_BY_PERSONS = ("slave", "value")


def answer(rig, letter, address, value, now, unix_ms):
    """Do what `letter` says, to the slave at `address` where it is about one (None: none was chosen), with the number
    `value` where it wants one. Returns lines of text; Invalid names what is wrong: letter, slave or value. What goes
    wrong on the bus is a line, too."""
    if type(letter) is not str or len(letter) != 1 or letter not in LETTERS:
        raise Invalid("letter", "must be one of " + " ".join(LETTERS))
    if letter in _OF_A_SLAVE and (type(address) is not int or address not in rig.slaves):
        raise Invalid("slave", _which(rig))
    if letter == "a" and (type(value) is not int or value not in rig.slaves):
        raise Invalid("value", _which(rig))
    if letter in "nv" and (type(value) is not int or not i2c.FIRST_ADDRESS <= value <= i2c.LAST_ADDRESS):
        raise Invalid("value", "must be an address from %d to %d" % (i2c.FIRST_ADDRESS, i2c.LAST_ADDRESS))
    try:
        lines = _lines(rig, letter, address, value, now, unix_ms)
    except (OSError, Invalid) as error:
        if isinstance(error, Invalid) and error.field in _BY_PERSONS:
            raise
        lines = [_fault(value if letter == "n" else address, error)]
    return [line[:WIDTH] for line in lines]


def _lines(rig, letter, address, value, now, unix_ms):
    if letter in "lo":
        return _overview(rig)
    if letter == "s":
        return _start(rig, now, unix_ms)
    if letter in _ACTS:
        from esp_node.mining.menu_acts import act

        return act(rig, letter, rig.slaves.get(address), value, now, unix_ms)
    from esp_node.mining.menu_pages import page

    return page(rig, letter, rig.slaves.get(value if letter == "a" else address), now)


def _which(rig):
    there = ", ".join([str(address) for address in sorted(rig.slaves)])
    return "must be the address of a slave: " + there if there else "there is none yet"


def _fault(where, error):
    return "%s %s: %s" % (where, "does not answer" if isinstance(error, OSError) else "answers wrong", error)


def _overview(rig):
    addresses = sorted(rig.slaves)
    return ["cons %d" % len(addresses)] + ["%d %s" % (address, rig.slaves[address].server) for address in addresses]


def _start(rig, now, unix_ms):
    errors = [("scan", rig.find(now))]
    for address in sorted(rig.slaves):
        if rig.slaves[address].server == "D":
            errors.append((address, rig.take_up(address, now, unix_ms)))
    return [_fault(where, error) for where, error in errors if error] + _overview(rig)
