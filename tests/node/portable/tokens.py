"""Runs on CPython and MicroPython: tokens survive copying, and only whole ones are taken."""
# ruff: noqa: PT017, PT018 (plain asserts: MicroPython has no pytest)

from schema import tokens
from schema.errors import Invalid

text = tokens.build("barn", "t-1", "s3cret?~", "ab12")
assert text.startswith("fh1.") and not set(text) & set("+/= \n")
assert tokens.parse(text) == ("barn", "t-1", "s3cret?~", "ab12")
for wrong in (
    "",
    "fh2.abc",
    "fh1.",
    "fh1.!!!!",
    text[:-4],
    text[:9],
    "fh1.e30",
    "fh1.W10",
    None,
    5,
):
    try:
        tokens.parse(wrong)
    except Invalid as error:
        assert error.field.startswith("token"), error
    else:
        raise AssertionError(wrong)
print("ok")
