"""The pure parts of the pages' JavaScript, asked in the browser that runs them."""

import pytest
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.broker]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (61_234_567, "H/s", "61.2 MH/s"),
        (33_554_432_000, "B", "33.6 GB"),
        (999, "B", "999 B"),
        (1013.25, "hPa", "1013.3 hPa"),
        (0.04271, "V", "0.043 V"),
        (-3.256, "°C", "\u22123.26 °C"),
        (0, "%", "0 %"),
        (90_061, "s", "1\u00a0d 1\u00a0h "),
        (12_500, "ms", "12.5 s"),
        (35, "us", "35 µs"),
        (1_234_567, "", "1.23 M"),
        (123_456, "", "123\u202f456 "),
        (40_950, "", "40\u202f950 "),
        (-40_950, "", "\u221240\u202f950 "),
        (9_999.9, "", "9999.9 "),
        (True, "", "yes "),
        (None, "W", "\u2013 "),
        ("idle", "", "idle "),
    ],
)
def test_figures_read_well(page: Page, value: object, unit: str, shown: str) -> None:
    ask = "([v, u]) => import('/static/format.js').then(m => m.figure(v, u))"
    answer = page.evaluate(ask, [value, unit])
    assert f"{answer['text']} {answer['unit']}" == shown


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 100, [0, 25, 50, 75, 100]),
        (19.2, 22.9, [19, 20, 21, 22, 23]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (5, 5, [4.5, 4.75, 5, 5.25, 5.5]),
        (0, 0, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_marks_are_round(page: Page, low: float, high: float, marks: list[float]) -> None:
    ask = "([a, b]) => import('/static/ticks.js').then(m => m.valueTicks(a, b, 4).values)"
    assert page.evaluate(ask, [low, high]) == pytest.approx(marks)


@pytest.mark.parametrize("minutes", [15, 60, 24 * 60, 7 * 24 * 60])
def test_time_marks_are_few_and_inside(page: Page, minutes: int) -> None:
    end = 1_795_233_799_270
    begin = end - minutes * 60_000
    ask = "([a, b]) => import('/static/ticks.js').then(m => m.timeTicks(a, b, 5))"
    ticks = page.evaluate(ask, [begin, end])
    assert 2 <= len(ticks) <= 5
    assert all(begin <= tick["at"] <= end and tick["text"] for tick in ticks)


def test_many_points_become_one_per_column_and_keep_their_extremes(page: Page) -> None:
    ask = """() => import('/static/plot.js').then(m => {
      const all = (value, ts) => ({ts, low: value, mean: value, high: value});
      const points = Array.from({length: 10000}, (_, ts) => all(ts % 97, ts));
      return m.thinned(points, 0, 10000, 200);
    })"""
    found = page.evaluate(ask)
    assert len(found) == 200
    assert min(point["low"] for point in found) == 0
    assert max(point["high"] for point in found) == 96
