"""The script that the host's owner may read and run by hand. The sentry never runs it. Pure."""

import shlex
from collections.abc import Mapping, Sequence

from schema.message import Invalid

HEAD = "written by farmhand for people: the sentry itself starts the program without it"


def shell(argv: Sequence[str], env: Mapping[str, str], folder: str) -> str:
    """run.sh"""
    words = [f"{name}={shlex.quote(value)}" for name, value in env.items()] + [shlex.quote(each) for each in argv]
    return f"#!/bin/sh\n# {HEAD}\ncd {shlex.quote(folder)} || exit 1\nexec env -i {' '.join(words)}\n"


def batch(argv: Sequence[str], env: Mapping[str, str], folder: str) -> str:
    """run.bat. Invalid for text that a batch file cannot hold without running a part of it."""
    for each in (*argv, *env.values(), folder):
        if any(c in each for c in '"\r\n'):
            raise Invalid("args", "a batch file cannot hold a quotation mark or a line break")
    lines = ["@echo off", f"rem {HEAD}", f"cd /d {_quoted(folder)}"]
    lines += [f'set "{name}={_percent(value)}"' for name, value in env.items()]
    return "\r\n".join([*lines, " ".join(_quoted(each) for each in argv), ""])


def _quoted(word: str) -> str:
    """Backslashes count only in front of a quotation mark: here, the last one's."""
    slashes = len(word) - len(word.rstrip("\\"))
    return '"' + _percent(word) + "\\" * slashes + '"'


def _percent(text: str) -> str:
    return text.replace("%", "%%")
