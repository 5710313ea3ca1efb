"""The programs that set-up found, installed or unpacked do start here, with all their libraries."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, program


def output_of(name: str, *arguments: str) -> str:
    path = program(name)
    assert path
    done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


@pytest.mark.broker
def test_mosquitto_starts() -> None:
    assert "mosquitto version 2." in output_of("mosquitto", "-h")


@pytest.mark.micropython
def test_micropython_starts_and_finds_umqtt() -> None:
    use_path = f"import sys; sys.path.append({str(ROOT / '.local/micropython')!r})"
    assert "MQTTClient" in output_of("micropython", "-c", f"{use_path}; import umqtt.simple; print(dir(umqtt.simple))")


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["initdb", "pg_ctl", "postgres"])
def test_postgres_starts(name: str) -> None:
    assert "PostgreSQL" in output_of(name, "--version")


@pytest.mark.browser
def test_chromium_draws_a_page(tmp_path: Path) -> None:
    page = output_of(
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        f"--user-data-dir={tmp_path}",
        "--dump-dom",
        "data:text/html,<p>harvest</p>",
    )
    assert "<p>harvest</p>" in page
