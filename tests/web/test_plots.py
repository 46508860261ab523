"""Plots, pure: whatever was measured it is a picture; silence is never drawn over; axes say round things."""

from __future__ import annotations

import itertools
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud.web.figures import Figures
from cloud.web.frame import TEMPLATES
from cloud.web.plots.lines import SILENT, Point, runs, silences, usual_us
from cloud.web.plots.picture import HEIGHT, WIDTH, Loss, Plot, plot
from cloud.web.plots.scale import scale
from cloud.web.plots.spans import SECOND_US, SPANS, ticks, usual_span
from cloud.web.words import catalogue
from tests.web.html import parsed

NOW_US = 1_795_266_000_000_000
MINUTE_US = 60 * SECOND_US
BERLIN = ZoneInfo("Europe/Berlin")
GOLDEN = Path(__file__).with_name("plot_golden.html")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")

values = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def points(draw: st.DrawFn) -> list[Point]:
    """Buckets of one width, some of them missing, of any values."""
    width = draw(st.sampled_from([SECOND_US, 15 * SECOND_US, 5 * MINUTE_US]))
    steps = draw(st.lists(st.integers(1, 40) | st.just(1), max_size=60))
    at_us, found = NOW_US - 86_400 * SECOND_US, []
    for step in steps:
        at_us += step * width
        least, mean, greatest = sorted(draw(st.tuples(values, values, values)))
        found.append(Point(at_us, at_us + width, least, mean, greatest, draw(st.integers(1, 1000))))
    return found


def drawn(some: list[Point], losses: tuple[Loss, ...] = ()) -> Plot:
    """The plot of a day up to now."""
    return plot(some, SPANS["24h"], (NOW_US - 86_400 * SECOND_US, NOW_US), BERLIN, losses)


def coordinates(path: str) -> list[tuple[float, float]]:
    """The points a line goes through."""
    pairs = [piece.split(" ") for piece in re.split(r"[ML]", path.replace("h0", "")) if piece]
    return [(float(x), float(y)) for x, y in pairs]


@given(points())
def test_everything_is_a_number_within_the_picture(some: list[Point]) -> None:
    picture = drawn(some, (Loss(NOW_US - 10**15, NOW_US + 10**15, 1), Loss(NOW_US, NOW_US, 2)))
    assert "nan" not in picture.line + picture.band
    assert "inf" not in picture.line + picture.band
    for x, y in coordinates(picture.line):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    for number in NUMBER.findall(picture.band):
        assert 0 <= float(number) <= WIDTH
    for mark in picture.silent + picture.lost:
        assert mark.x >= 0
        assert mark.width > 0
        assert mark.x + mark.width <= WIDTH
    for tick in picture.y_ticks:
        assert 0 <= tick.percent <= 100
        assert math.isfinite(tick.value)
    if some:
        assert picture.mean is not None
        assert math.isfinite(picture.mean)


@given(points())
def test_time_goes_to_the_right(some: list[Point]) -> None:
    for line in drawn(some).line.split("M")[1:]:
        across = [x for x, _ in coordinates(line)]
        assert across == sorted(across)


@given(points())
def test_no_line_crosses_a_silence(some: list[Point]) -> None:
    parted = runs(some)
    assert [point for run in parted for point in run] == some
    longest = SILENT * usual_us(some)
    for run in parted:
        for before, after in itertools.pairwise(run):
            assert after.from_us - before.from_us <= longest
    for before, after in itertools.pairwise(parted):
        assert after[0].from_us - before[-1].from_us > longest
    assert drawn(some).line.count("M") == len(parted), "a line for each run, and none between"


@given(points())
def test_silences_lie_between_what_was_heard(some: list[Point]) -> None:
    begin_us = NOW_US - 86_400 * SECOND_US
    for quiet in silences(runs(some), begin_us, NOW_US + 10**9, usual_us(some)):
        assert quiet.from_us <= quiet.to_us
        assert not any(quiet.from_us < point.at_us < quiet.to_us for point in some)


@given(values, values)
def test_the_scale_holds_its_values_and_its_ticks_rise(one: float, other: float) -> None:
    made = scale(min(one, other), max(one, other))
    assert math.isfinite(made.low)
    assert made.low < made.high < math.inf
    assert made.ticks == sorted(set(made.ticks))
    assert len(made.ticks) <= 12
    assert all(made.low <= tick <= made.high or math.isclose(tick, made.low) for tick in made.ticks)
    assert 0 <= made.share(one) <= 1


def test_a_missing_bucket_is_a_silence_and_a_slow_device_is_not_silent() -> None:
    every = [Point(n * MINUTE_US, (n + 1) * MINUTE_US, n, n, n, 1) for n in range(20) if n != 7]
    assert [len(run) for run in runs(every)] == [7, 12]
    slow = [Point(n * MINUTE_US, (n + 1) * MINUTE_US, n, n, n, 1) for n in range(0, 300, 10)]
    assert len(runs(slow)) == 1
    (quiet,) = silences(runs(slow), 0, 400 * MINUTE_US, usual_us(slow))
    assert quiet.open
    assert quiet.from_us == 291 * MINUTE_US
    assert silences([], 0, 10, 0)[0].open, "nothing at all is one silence"


def test_before_a_device_was_known_nothing_is_said() -> None:
    window = NOW_US - 86_400 * SECOND_US, NOW_US
    known_us = NOW_US - 60 * MINUTE_US

    def shades(some: list[Point]) -> list[tuple[int, int]]:
        picture = plot(some, SPANS["24h"], window, BERLIN, known_us=known_us)
        return [(quiet.from_us, quiet.to_us) for quiet in picture.silences]

    width = 5 * MINUTE_US
    ever = [Point(known_us + n * width, known_us + (n + 1) * width, 1, 1, 1, 1) for n in range(12)]
    assert shades(ever) == []
    assert shades(ever[6:]) == [], "it was not set up yet"
    assert shades([*ever[:4], *ever[6:]]) == [(ever[3].to_us, ever[6].from_us)]
    assert shades([]) == [(known_us, NOW_US)]
    early = Point(known_us - 4 * width, known_us - 3 * width, 1, 1, 1, 1)
    assert shades([early, *ever]) == [(early.to_us, known_us)], (
        "what it kept from before is drawn, and its gap told"
    )
    assert usual_span(60.0).name == "1h"
    assert usual_span(86_400.0).name == "24h"


@pytest.mark.parametrize(
    ("span", "end", "expected"),
    [
        # the clocks go from 02:00 to 03:00: two hours from midnight to what is called three
        ("24h", datetime(2026, 3, 29, 12, tzinfo=UTC), ["21:00", "00:00", "03:00", "06:00", "09:00", "12:00"]),
        # and back: four
        ("24h", datetime(2026, 10, 25, 12, tzinfo=UTC), ["21:00", "00:00", "03:00", "06:00", "09:00", "12:00"]),
        ("1h", datetime(2026, 10, 25, 1, 5, tzinfo=UTC), ["02:10", "02:20", "02:30", "02:40", "02:50", "02:00"]),
    ],
)  # fmt: skip
def test_the_axis_knows_the_days_on_which_clocks_change(span: str, end: datetime, expected: list[str]) -> None:
    end_us = int(end.timestamp()) * SECOND_US
    found = ticks(SPANS[span], SPANS[span].begin_us(end_us), end_us, BERLIN)
    local = [datetime.fromtimestamp(tick.at_us / SECOND_US, BERLIN) for tick in found]
    assert [f"{at:%H:%M}" for at in local][-len(expected) :] == expected
    assert [at.timestamp() for at in local] == sorted({at.timestamp() for at in local})


def test_a_year_names_its_months_in_the_zone() -> None:
    found = ticks(SPANS["1y"], SPANS["1y"].begin_us(NOW_US), NOW_US, ZoneInfo("Asia/Kolkata"))
    assert [tick.form for tick in found].count("year") == 1
    assert len(found) == 12


def test_values_of_any_size_are_written_shortly() -> None:
    say = Figures("en").measured
    assert [str(say(value)) for value in (0, 21.375, 1234.5, -0.002, 3e-7, 1.5e300)] == [
        "0", "21.375", "1,234.5", "-0.002", "3e-07", "1.5e+300",
    ]  # fmt: skip


def test_the_picture_is_drawn_as_ever() -> None:
    """When it was changed on purpose: look at it in a browser, delete the file, run this twice."""
    begin_us = NOW_US - 86_400 * SECOND_US
    width = 60 * MINUTE_US
    some = []
    for hour in range(24):
        if hour not in (5, 6, 13):
            mean = 20 + 5 * math.sin(hour / 4)
            from_us = begin_us + hour * width
            some.append(Point(from_us, from_us + width, mean - 1, mean, mean + 2, 360))
    picture = plot(
        some, SPANS["24h"], (begin_us, NOW_US), BERLIN, [Loss(begin_us + 5 * width, begin_us + 7 * width, 1)], 21.5
    )
    template = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).from_string(
        '{% import "plot.html" as p with context %}'
        '{{ p.figures(plot, "°C") }}{{ p.picture(plot, "<t>", "°C", zone) }}'
    )
    text = template.render(t=catalogue()["en"], f=Figures("en"), plot=picture, zone="Europe/Berlin")
    assert "&lt;t&gt;" in text
    assert parsed(text).one("svg", role="img").one("title").text.startswith("<t>: last 21.5 °C, least")
    if not GOLDEN.exists():
        GOLDEN.write_text(text, "utf-8")
        pytest.fail("There was no picture to compare with; now there is.")
    assert text == GOLDEN.read_text("utf-8")
