"""docs/duco.md names every setting of the gateway with its default, and none that does not exist."""

import re

from sentry.mining.duco_report import COUNTS, SUM_UNITS, UNITS
from sentry.mining.duco_tiers import TIERS
from sentry.mining.settings import PoolSettings
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "duco.md").read_text()


def test_settings() -> None:
    rows = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \| ([^|]*) \|", TEXT, re.MULTILINE)
    documented = {
        name.lower(): default.strip("` ")
        for names, defaults in rows
        for name, default in zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=True)
    }
    assert set(documented) == set(PoolSettings.model_fields)
    for name, field in PoolSettings.model_fields.items():
        if isinstance(field.default, bool | int | float | str) and field.default != "":
            assert documented[name].lower() == str(field.default).lower(), name


def test_figures_and_tiers() -> None:
    words = set(re.findall(r"\w+", TEXT))
    assert {*COUNTS, *UNITS, *SUM_UNITS} <= words
    for name, tier in TIERS.items():
        assert f"{name} {tier.difficulty}" in TEXT
