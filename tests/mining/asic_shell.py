"""python asic_shell.py: does each command that a line of input gives, `{"words": [...], "given": "its input"}`, as
`farmhand asic` does; answers with a line `{"code", "out", "error"}`. One process, because each start takes long.
"""

import json
import sys

from typer.testing import CliRunner

from commander.asic_cli import app

for line in sys.stdin:
    asked = json.loads(line)
    done = CliRunner().invoke(app, asked["words"], input=asked["given"])
    print(json.dumps({"code": done.exit_code, "out": done.stdout, "error": str(done.exception or "")}), flush=True)
