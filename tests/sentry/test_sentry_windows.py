"""What of Windows can be tested without one: that nothing of POSIX is on the way, and what is decided there."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_a_sentry_needs_nothing_of_posix(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sentry.without_posix", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    needed = {
        "sentry.cli",
        "sentry.agent",
        "sentry.enrol",
        "sentry.mining.miner_host",
        "sentry.mining.process_portable",
    }
    assert needed < set(told["modules"])
    assert told["portable"]
    assert told["note"] == {"kept": True}
    assert told["readings"] == {"host": 1}

    assert "FARMHAND_MINER_USER: " in told["user"]
    assert "no such thing on Windows" in told["user"]
    assert "FARMHAND_MINER_HUGE_PAGES: " in told["huge_pages"]
    assert "native is of Linux only" in told["native"]
    assert "FARMHAND_RIG_BUS: " in told["bus"]
    assert told["batch"] == "miner cpu: programs.path: must end in .exe there"
    assert told["name"] == "miner nul: name: is one that Windows keeps for itself"
    assert told["env"].startswith("miner cpu: env.Path: must be a plain name")
    assert told["system_root"].startswith("miner cpu: env.SystemRoot: must be a plain name")

    script = told["script"].splitlines(keepends=True)
    assert script[0] == "@echo off\r\n"
    assert 'set "SYSTEMROOT=C:\\Windows"\r\n' in script
    assert 'set "PATH=C:\\Windows\\System32;C:\\Windows"\r\n' in script
    assert script[-1] == f'"{tmp_path}/m.exe" "-o" "pool:1"\r\n'
    assert "quotation mark" in told["no_script"]
