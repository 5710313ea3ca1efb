"""Runs `farmhand` commands one after the other in one process, as each would run by itself: starting Python for each
would take most of a test's time. Lists of words on stdin, as JSON; [[exit code, stdout, stderr], ...] on stdout.
"""

import contextlib
import io
import json
import sys

import farmhand


def run(words: list[str]) -> tuple[int, str, str]:
    output, errors = io.StringIO(), io.StringIO()
    code = 0
    sys.argv = ["farmhand", *words]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            farmhand.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return code, output.getvalue(), errors.getvalue()


if __name__ == "__main__":
    print(json.dumps([run(words) for words in json.load(sys.stdin)]))
