"""python boards_shell.py: does each command that a line of input gives, a JSON array of words, as `farmhand boards`
does; answers with a line `{"code", "out", "error"}`. One process, because each start takes long.
"""

import json
import sys

from typer.testing import CliRunner

from commander.boards_cli import app

for line in sys.stdin:
    done = CliRunner().invoke(app, json.loads(line))
    print(json.dumps({"code": done.exit_code, "out": done.stdout, "error": str(done.exception or "")}), flush=True)
