"""Where a message lives: `build()` a topic from its template, `parse()` a topic into its levels.

A node's topics are <root>/<domain>/<node>/<device>/<channel>[/<name>]; farm-wide ones stand below the reserved domain
`_`.
"""

from schema.message import Invalid, is_id, is_name

MAX_TOPIC = 512


class Address:
    """The levels of a topic: domain, node, device, key (as in the declaration), name, to (xdata only)."""

    def __init__(self, key, domain="", node="", device="", name="", to=""):
        self.key = key
        self.domain = domain
        self.node = node
        self.device = device
        self.name = name
        self.to = to


def build(message, root, domain="", node="", device="self", name="", to=""):
    """Topic of `message` (str). Raises Invalid for a level outside the alphabet."""
    values = {"domain": domain, "node": node, "device": device, "name": name, "to": to}
    levels = [root]
    for level in message.topic.split("/"):
        if level[0] == "{":
            field = level[1:-1]
            level = values[field]
            (is_name if field == "name" else is_id)(field, level)
        levels.append(level)
    return "/".join(levels)


def parse(topic, root):
    """Address of a topic (str) below `root`; its key is "channel", or "channel/name" for job, blob and enrol."""
    if len(topic) > MAX_TOPIC:
        raise Invalid("topic", "must be at most %d characters" % MAX_TOPIC)
    levels = topic.split("/")
    if levels[0] != root:
        raise Invalid("topic", "must begin with " + root)
    count = len(levels)
    if count > 1 and levels[1] == "_":
        return _parse_farm(levels, count)
    if not 5 <= count <= 7:
        raise Invalid("topic", "must be <root>/<domain>/<node>/<device>/<channel>[/<name>]")
    _, domain, node, device, channel = levels[:5]
    is_id("topic.domain", domain)
    is_id("topic.node", node)
    is_id("topic.device", device)
    if count == 5:
        if channel not in _BARE:
            raise Invalid("topic.channel", "must be one of %s, or be followed by a name" % " ".join(_BARE))
        return Address(channel, domain, node, device)
    if channel == "xdata":
        if count != 7:
            raise Invalid("topic", "must be <root>/<domain>/<node>/<device>/xdata/<to-domain>/<stream>")
        is_id("topic.to", levels[5])
        is_name("topic.name", levels[6])
        return Address(channel, domain, node, device, levels[6], levels[5])
    name = levels[5]
    is_name("topic.name", name)
    if count == 6 and channel in _NAMED:
        return Address(channel, domain, node, device, name)
    pair = channel + "/" + name
    if count == 6 and pair in _PAIRS:
        return Address(pair, domain, node, device)
    raise Invalid("topic.channel", "unknown; allowed: " + " ".join(_BARE + _NAMED + _PAIRS + ("xdata",)))


def _parse_farm(levels, count):
    if count == 3 and levels[2] == "leader":
        return Address("leader", "_")
    if count == 4 and levels[2] in ("bridge", "notice"):
        is_name("topic.name", levels[3])
        return Address(levels[2], "_", name=levels[3])
    if count == 6 and levels[2] == "enrol" and levels[5] in ("req", "res"):
        is_id("topic.domain", levels[3])
        is_id("topic.node", levels[4])
        return Address("enrol/" + levels[5], levels[3], levels[4])
    known = "leader, bridge/<link>, notice/<output>, enrol/<domain>/<token>/req|res"
    raise Invalid("topic", "unknown below _; allowed: " + known)


def declaration(messages, address):
    """The declaration for an address: the one of its very name if there is one, else that of the channel."""
    message = messages.get(address.key + "/" + address.name) or messages.get(address.key)
    if message is None:
        raise Invalid("topic.channel", "not declared")
    return message


_BARE = ("state", "info", "stored", "log")
_NAMED = ("tele", "data", "evt", "alert", "latest", "desired", "reported", "cmd", "ack")
_PAIRS = ("job/offer", "job/share", "job/result", "blob/get", "blob/data")
