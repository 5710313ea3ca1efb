"""What is done with a message that came, other than marks and blobs. Loaded for each."""

from schema.errors import Invalid


def take(node, topic, name, payload, retained):
    """The message `name` came, its payload None when it was too large. Returns what is to be done with it; Invalid
    names what is wrong."""
    if payload is None:
        raise Invalid("payload", "is too large; at most %d bytes" % node.link.limit)
    if name == "stored":
        raise Invalid("marks", "must be an object of stream -> whole number")
    if name.startswith("cmd/") and retained:
        raise Invalid("retain", "a command must not be retained")
    if payload:
        channel, _, name = name.partition("/")
        # One after the other, so that the checks have left the heap when the body is acted upon.
        return "verify", "open_sealed", node, channel, name, topic, payload
