"""The rig's menu on the serial console. Loaded for each key and then forgotten, so nothing waits here: node.menu keeps
(slave chosen or None, letter that is not complete or "", digits typed for it, task of the loop or None)."""

from esp_node.menu_text import prompt

_LOOP_MS = 2000
_NUMBERS = {"a": "slave", "n": "address of the new slave", "v": "its new address"}


def begin(node):
    """Open it."""
    _say(node, None, "o")
    print("  ?: the letters   return: back to the menu")
    _ready(node, None)


def typed(node, keys):
    """`keys` were pressed, at least one; None: nobody sits there any more."""
    slave, letter, digits, loop = node.menu
    if loop:
        node.scheduler.cancel(loop)
        print()
        return _ready(node, slave)
    if keys is None:
        node.menu = ""
    elif keys[0] == "\x1b" and (letter or len(keys) > 1):  # an arrow key means nothing
        print()
        _ready(node, slave)
    elif keys[0] in "\x04\x1b\r\n" and not letter:
        prompt(node)
    else:
        for at in range(len(keys)):
            _key(node, keys[at], at == 0)


def _key(node, key, first):
    slave, letter, digits, _ = node.menu
    if letter == "x":
        print(key)
        if key == "y" and _say(node, slave, "x"):
            prompt(node)
        else:
            _ready(node, slave)
    elif letter:
        _digit(node, key, first)
    elif key in _NUMBERS:
        print("%s\n%s: " % (key, _NUMBERS[key]), end="")
        node.menu = slave, key, "", None
    elif key == "x":
        print("x\nmining ends; sure? y: ", end="")
        node.menu = slave, key, "", None
    elif key == "l":
        print("l, until any key")
        _say(node, slave, "o")
        node.menu = slave, "", "", node.scheduler.every(_LOOP_MS, lambda: _say(node, slave, "o"), "rig loop")
    elif key > " ":
        print(key)
        _say(node, slave, key)
        _ready(node, slave)


def _digit(node, key, first):
    slave, letter, digits, _ = node.menu
    if key.isdigit() and len(digits) < 3:
        print(key, end="")
        node.menu = slave, letter, digits + key, None
    elif key in "\b\x7f" and digits:
        print("\b \b", end="")
        node.menu = slave, letter, digits[:-1], None
    elif key in "\r\n" and digits:
        print()
        if _say(node, slave, letter, int(digits)) and letter == "a":
            slave = int(digits)
        _ready(node, slave)
    elif key in "\r\n" and first:  # not the line end behind the letter
        print()
        _ready(node, slave)


def _ready(node, slave):
    node.menu = slave, "", "", None
    print("rig> " if slave is None else "rig %d> " % slave, end="")


def _say(node, slave, letter, value=None):
    # Whether it was done. Nothing is raised: an alert of the loop's would stand for ever.
    try:
        for line in node.rig.answer(letter, slave, value):
            print("  " + line)
        return True
    except Exception as error:
        print("  %s" % error)
