"""What text may be in a message: topic levels, and text for people. All that a board needs of these checks; the rest is
message.py."""

from schema.errors import Invalid

_ID = "abcdefghijklmnopqrstuvwxyz0123456789_-"
_NAME = _ID + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def is_id(field, value):
    # strip() leaves something exactly when a character is outside the alphabet; fast and small on both interpreters.
    # Not value[0]: MicroPython keeps every single character that it makes as a name, for ever.
    if not isinstance(value, str) or not 0 < len(value) <= 63 or value.strip(_ID) or value[:1] in "_-":
        raise Invalid(field, "must match [a-z0-9][a-z0-9_-]{0,62}")


def is_name(field, value):
    if not isinstance(value, str) or not 0 < len(value) <= 64 or value.strip(_NAME):
        raise Invalid(shown(field), "must match [A-Za-z0-9_-]{1,64}")


def is_text(field, value, most=1024):
    if not isinstance(value, str):
        raise Invalid(field, "must be text")
    if len(value) > most:
        raise Invalid(field, "must be at most %d characters" % most)
    if "\x00" in value:
        raise Invalid(field, "must not hold a NUL character")
    try:
        value.encode("utf-8")  # a lone surrogate, which JSON can write, fits no database
    except UnicodeError:
        raise Invalid(field, "must be valid Unicode")


def shown(value):
    """A short printable form of something a stranger sent."""
    text = value if isinstance(value, str) else repr(value)
    clean = "".join(c if 32 <= ord(c) < 127 or c == "°" else "?" for c in text[:64])
    return clean or "(empty)"
