"""Every collector, whatever this host has: one test over the folder."""

import logging

import pytest

from schema.fleet import INFO, TELE
from schema.message import check
from schema.units import UNITS
from sentry.birth import birth
from sentry.collect import make, names, read_all
from sentry.reading import Reading
from sentry.settings import Settings


@pytest.mark.parametrize("name", names())
def test_readings_are_what_the_birth_announces(name: str) -> None:
    collector = make(name)
    for readings in (collector.read(), collector.read()):
        for reading in readings:
            check(TELE, {"ts": 1, "stream": "s", "seq": 1, **reading.values})
            assert set(reading.values) == set(reading.units)
            assert set(reading.units.values()) <= set(UNITS)
            check(INFO, birth("b", "worker", 5, {reading.part: reading.units}, Settings()))


def test_this_host_has_the_basics() -> None:
    found = {reading.part: reading for name in names() for reading in make(name).read()}
    assert {"host", "disk", "net"} <= set(found)
    assert found["host"].values["mem_total"]
    assert "root_used" in found["disk"].values


def test_one_that_fails_leaves_the_others(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def read(self) -> list[Reading]:
            raise RuntimeError("no such sensor")

    with caplog.at_level(logging.WARNING):
        assert read_all([("broken", Broken()), ("host", make("host"))])[0].part == "host"
    assert "collector broken failed: RuntimeError: no such sensor" in caplog.text
