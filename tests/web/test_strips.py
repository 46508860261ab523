"""Strips and columns of states, pure: what is drawn lies where it was, and nobody's silence looks like a stop."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud.web.figures import Figures
from cloud.web.frame import TEMPLATES
from cloud.web.plots.strip import LEAST, STACKED, STATES, Box, columns, pieces, shares, strip
from cloud.web.windows import DAY_US, SECOND_US, window
from cloud.web.words import catalogue
from edge.clock import iso
from edge.wire.assets import AvailabilityRow, BandView
from tests.web.html import parsed

HOUR_US = 3600 * SECOND_US
NOON_US = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()) * SECOND_US
BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
WINDOW = NOON_US - 10 * HOUR_US, NOON_US


def band(state: str, from_h: float, to_h: float | None, stop: str | None = None, reason: str = "") -> BandView:
    """A state from so many hours on in WINDOW."""
    at = [None if hour is None else iso(WINDOW[0] + round(hour * HOUR_US)) for hour in (from_h, to_h)]
    return BandView(asset="a", at=at[0] or "", to=at[1], state=state, stop=stop, reason=reason)


def row(hour: int, run: float = 0, stop: float = 0, planned: float = 0, unknown: float = 0) -> AvailabilityRow:
    """The figures of an hour of WINDOW, times in seconds."""
    known = run + stop
    at = [iso(WINDOW[0] + each * HOUR_US) for each in (hour, hour + 1)]
    return AvailabilityRow(
        of="x", name="x", at=at[0], to=at[1], availability=run / known if known else None, coverage=1.0, run_s=run,
        stop_s=stop, planned_s=planned, unknown_s=unknown, stops=1, ended_stops=1, short_stops=0, mtbf_s=None,
        mttr_s=None, longest_stop_s=0,
    )  # fmt: skip


def test_bands_are_drawn_where_they_were_and_what_nobody_saw_is_left_open() -> None:
    bands = [
        band("running", -5, 2), band("stopped", 2, 3, "7", "jam"), band("unknown", 3, 4, "7", "jam"),
        band("stopped", 4, 5, "7", "jam"), band("planned", 5, 6), band("running", 6, None),
    ]  # fmt: skip
    picture = strip(pieces(bands, WINDOW), WINDOW, [], most=10)
    drawn = {layer.state: layer.boxes for layer in picture.layers}
    assert drawn["running"] == [Box(0, 20), Box(60, 40)]
    assert drawn["stopped"] == [Box(20, 10), Box(40, 10)]
    assert drawn["planned"] == [Box(50, 10)]
    assert "unknown" not in drawn, "it is what lies behind all"
    assert [layer.state for layer in picture.layers][-1] == "stopped", "over all others"
    stops = [spot for spot in picture.spots if spot.piece and spot.piece.stop and spot.piece.state == "stopped"]
    assert [(spot.x, spot.piece.reason) for spot in stops if spot.piece] == [(20, "jam"), (40, "jam")]
    last = next(spot.piece for spot in picture.spots if spot.piece and spot.piece.open)
    assert last.seconds == 4 * 3600
    cut = [band("running", 0, 10)]
    assert [pieces(cut, WINDOW, to_now=now)[0].open for now in (False, True)] == [False, True]


def test_neighbours_that_say_the_same_are_one_piece() -> None:
    bands = [band("running", 0, 1), band("running", 1, 2), band("stopped", 2, 3, "1"), band("stopped", 3, 4, "2")]
    found = pieces(bands, WINDOW)
    assert [(piece.state, piece.seconds, piece.stop) for piece in found] == [
        ("running", 7200, None),
        ("stopped", 3600, "1"),
        ("stopped", 3600, "2"),
    ]


def test_the_shortest_stop_is_seen_also_at_the_end() -> None:
    second = 1 / 3600
    bands = [band("running", 0, 5), band("stopped", 5, 5 + second, "1"), band("stopped", 10 - second, None, "2")]
    (layer,) = [layer for layer in strip(pieces(bands, WINDOW), WINDOW, [], 9).layers if layer.state == "stopped"]
    assert [box.width for box in layer.boxes] == [LEAST, LEAST]
    assert layer.boxes[1].x + layer.boxes[1].width <= 100


def test_where_there_are_more_pieces_than_one_can_point_at_days_are_that() -> None:
    bands = [band("running" if n % 2 else "stopped", n / 10, (n + 1) / 10, str(n)) for n in range(100)]
    day = (WINDOW[0] - HOUR_US, WINDOW[0] + 23 * HOUR_US)
    picture = strip(pieces(bands, WINDOW), WINDOW, [day], most=99)
    assert sum(len(layer.boxes) for layer in picture.layers) == 100
    ((spot),) = picture.spots
    assert (spot.x, spot.width, spot.piece, spot.span) == (0, 100, None, day)


times = st.floats(0, 3600)


@given(st.lists(st.tuples(times, times, times, times), max_size=10))
def test_columns_are_as_high_as_time_is_long(spent: list[tuple[float, float, float, float]]) -> None:
    rows = [row(number, *each) for number, each in enumerate(spent)]
    picture = columns(rows, WINDOW)
    assert len(picture.spots) == sum(any(each) for each in spent)
    by_place: dict[float, list[Box]] = {}
    for layer in picture.layers:
        assert layer.state in STATES
        for box in layer.boxes:
            assert -0.01 <= box.y <= 100
            by_place.setdefault(box.x, []).append(box)
    for boxes in by_place.values():
        assert sum(box.height for box in boxes) == pytest.approx(100, abs=0.05)


def test_a_column_stands_on_what_ran_and_marks_its_availability() -> None:
    picture = columns([row(0, run=1800, stop=600, unknown=600, planned=600), row(1, planned=3600)], WINDOW)
    drawn = {layer.state: layer.boxes for layer in picture.layers}
    assert drawn["running"] == [Box(0, 10, 50, 50)]
    assert drawn["stopped"] == [Box(0, 10, 33.33, 16.67)]
    assert [spot.mark for spot in picture.spots] == [25.0, None], "of nothing known no availability is drawn"
    assert list(drawn) == [state for state in STACKED if state in drawn]


def test_bars_tell_their_part_and_what_they_are_together() -> None:
    assert shares([60, 30, 10]) == [(100, 60), (50, 90), (16.67, 100)]
    assert shares([]) == []
    assert shares([0.0]) == [(0, 0)]


def test_a_strip_is_told_to_who_cannot_see_it_and_leads_to_its_stops() -> None:
    bands = [
        band("running", 0, 2),
        band("stopped", 2, 3, "77", "<jam>"),
        band("stopped", 3, 4),
        band("unknown", 4, 5),
    ]
    template = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).from_string('{% import "availability_parts.html" as draw with context %}{{ draw.strip(drawn, []) }}')
    text = template.render(
        t=catalogue()["fr"],
        f=Figures("fr"),
        zone="UTC",
        drawn={
            "asset": {"name": "<b>Press</b>", "id": "a"},
            "row": row(0, run=7200, stop=3600),
            "picture": strip(pieces(bands, WINDOW), WINDOW, [], 9),
        },
        reason_names={"<jam>": "Bourrage <1>"},
        stop_at=lambda asset, stop: f"/stops/{asset}/{stop}",
        time_at=lambda span: "",
    )
    drawn = parsed(text).one("svg", role="img")
    assert drawn["aria-label"].startswith("<b>Press</b>: Disponibilité 66,7 %, Couverture 100 %, 1 arrêt")
    (leads,) = drawn.all("a")
    assert leads["href"] == "/stops/a/77"
    assert leads.one("title").text == "2026-11-21 04:00 \u2013 05:00 (1 h 00) à l\u2019arrêt: Bourrage <1>"
    said = [title.text for title in drawn.all("title")]
    assert "2026-11-21 05:00 \u2013 06:00 (1 h 00) à l\u2019arrêt" in said, "stopped when first seen: it is no stop"
    assert any("inconnu" in each for each in said)
    fills = [each.get("fill") for each in drawn.all() if each.get("fill")]
    assert fills == ["url(#of-unknown)", "url(#of-running)", "url(#of-stopped)"]


def asked(**query: str) -> dict[str, str]:
    """Parameters of a page."""
    return {name.rstrip("_"): value for name, value in query.items()}


@pytest.mark.parametrize(
    ("query", "begin", "end"),
    [
        (asked(window="today"), "2026-11-20T18:30", "2026-11-21T12:00"),
        (asked(window="yesterday"), "2026-11-19T18:30", "2026-11-20T18:30"),
        (asked(), "2026-11-14T18:30", "2026-11-21T12:00"),
        (asked(window="month"), "2026-10-31T18:30", "2026-11-21T12:00"),
        (asked(from_="2026-11-02", to="2026-11-03"), "2026-11-01T18:30", "2026-11-03T18:30"),
        (asked(from_="2026-11-02"), "2026-11-01T18:30", "2026-11-02T18:30"),
        (asked(at="2026-11-02T00:00:00Z", until="2026-11-02T01:00:00Z"), "2026-11-02T00:00", "2026-11-02T01:00"),
    ],
)
def test_a_window_is_of_the_days_of_the_zone(query: dict[str, str], begin: str, end: str) -> None:
    found = window(lambda name: query.get(name, ""), KOLKATA, NOON_US)
    assert (found.query["from"][:16], found.query["to"][:16]) == (begin, end)
    again = window(lambda name: found.asked.get(name, ""), KOLKATA, NOON_US)
    assert again.span == found.span, "what its address says is the same window"


@pytest.mark.parametrize(
    "query",
    [
        asked(from_="2026-11-31"), asked(from_="yesterday"), asked(from_="2026-11-03", to="2026-11-01"),
        asked(from_="2027-01-01"), asked(at="x", until="y"), asked(from_="0001-01-01"),
        asked(at="2026-11-02T01:00:00Z", until="2026-11-02T00:00:00Z"),
    ],
)  # fmt: skip
def test_what_is_no_window_is_refused_and_the_usual_one_shown(query: dict[str, str]) -> None:
    found = window(lambda name: query.get(name, ""), BERLIN, NOON_US)
    assert found.refused is not None
    assert found.name == "7d"


def test_days_have_23_or_25_hours_and_are_asked_for_as_days() -> None:
    query = asked(from_="2026-10-24", to="2026-10-26")
    found = window(lambda name: query.get(name, ""), BERLIN, NOON_US)
    assert [(end - begin) // HOUR_US for begin, end in found.days()] == [24, 25, 24]
    assert found.asked_of(found.days()[1]) == {"from": "2026-10-25"}
    part = found.days()[1][0], found.days()[1][0] + HOUR_US
    assert set(found.asked_of(part)) == {"at", "until"}


def test_a_trend_goes_by_what_fits_a_picture() -> None:
    def steps(name: str, *, shifts: bool) -> list[str]:
        return window({"window": name}.get, BERLIN, NOON_US).steps(shifts=shifts)  # type: ignore[arg-type]

    assert steps("today", shifts=False) == ["hour"]
    assert steps("7d", shifts=True) == ["day", "hour", "shift"]
    assert steps("month", shifts=False) == ["day"]
    year = window({"from": "2025-11-21", "to": "2026-11-20"}.get, BERLIN, NOON_US)  # type: ignore[arg-type]
    assert year.steps(shifts=True) == ["day"]
    assert year.length_us >= 365 * DAY_US


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (3599, "1 h 00"), (7500, "2 h 05"), (5_155_200, "1,432 h")],
)
def test_hours_are_told_so_that_they_can_be_compared(seconds: float, text: str) -> None:
    assert Figures("en").hours(seconds) == text


def test_no_two_states_look_alike_without_colour() -> None:
    text = (TEMPLATES / "availability_parts.html").read_text("utf-8")
    shapes = {line.split('id="of-')[1].split('"')[0]: line for line in text.splitlines() if 'id="of-' in line}
    assert set(shapes) == set(STATES)
    marks = {
        state: [tag for tag in parsed(line).all() if tag.get("class") != state] for state, line in shapes.items()
    }
    drawn = {
        state: [(each.tag, each.get("class")) for each in found if each.tag != "pattern"]
        for state, found in marks.items()
    }
    assert all(drawn[one] != drawn[other] for one, other in itertools.combinations(STATES, 2))
