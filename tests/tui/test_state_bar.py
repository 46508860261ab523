"""Timelines of characters, windows, and figures in words: what needs no screen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from edge.wire.assets import ShiftView
from edge.wire.state_line import cells
from tests.tui import site_assets
from tests.tui.site_data import NOW, at
from tui import ages, asset_words
from tui.marks import of_asset
from tui.state_bar import BLOCKS, PLAIN, drawn, legend, marks, pieces, seconds, share_bar
from tui.windows import WINDOWS, Question

SPAN = seconds(at(480)), seconds(at(0))
BERLIN = ages.zone("Europe/Berlin")


def test_a_cell_has_the_state_it_was_in_the_longest() -> None:
    bands = pieces(site_assets.bands("a", (480, "running"), (240, "planned"), (120, "unknown")))
    assert cells(bands, SPAN, 8) == ["running"] * 4 + ["planned"] * 2 + ["unknown"] * 2


def test_a_stop_is_seen_however_short_it_is() -> None:
    bands = pieces(site_assets.bands("a", (480, "running"), (100, "stopped"), (99.9, "running"), (60, "stopped")))
    shown = cells(bands, SPAN, 8)
    assert shown == ["running"] * 6 + ["partly", "stopped"]
    assert drawn(shown).plain == "██████▄▁"
    assert drawn(shown, PLAIN).plain == "######=_"


def test_what_was_not_told_is_blank_and_an_unknown_word_is_not_taken_for_running() -> None:
    bands = pieces(site_assets.bands("a", (960, "running"), (360, "elsewhere"))[:1])
    assert cells(bands, SPAN, 4) == ["running", "", "", ""]
    assert drawn(["elsewhere", ""]).plain == "░ "
    assert cells([], SPAN, 0) == cells([], (5.0, 5.0), 4) == []


def test_every_state_has_a_character_of_its_own() -> None:
    for glyphs in (BLOCKS, PLAIN):
        states = glyphs[:5]
        assert len(set(states)) == len(states)
        assert all(glyph in legend(glyphs) for glyph in states)
    assert "".join(PLAIN).isascii()


def test_hours_stand_where_they_are_by_the_clock_of_the_site() -> None:
    line = marks(SPAN, 78, BERLIN)
    assert line.index("│05:00") == int((60 - 4.5) * 78 / 480)  # the span begins at 04:04:31
    assert line.count("│") == 7
    assert len(line) <= 78
    assert marks(SPAN, 20, BERLIN).split() == ["│08:00"]
    assert marks(SPAN, 78, BERLIN, PLAIN).isascii()


def test_a_week_has_its_days_and_a_day_of_23_hours_is_no_hindrance() -> None:
    week = datetime(2026, 3, 26, 23, tzinfo=UTC).timestamp(), datetime(2026, 4, 2, 22, tzinfo=UTC).timestamp()
    words = "Fri 27 Sat 28 Sun 29 Mon 30 Tue 31 Wed 01 Thu 02"
    assert " ".join(marks(week, 78, BERLIN).replace("│", " ").split()) == words
    day = datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp(), datetime(2026, 3, 29, 22, tzinfo=UTC).timestamp()
    assert "03:00" in marks(day, 78, BERLIN)


@pytest.mark.parametrize(
    ("share", "bar"), [(0, ""), (0.001, "▌"), (0.5, "██"), (0.6, "██▌"), (1, "████"), (7, "████")]
)
def test_a_share_is_a_bar(share: float, bar: str) -> None:
    assert share_bar(share, 4) == bar


def test_windows_are_those_of_the_site() -> None:
    assert Question().times(NOW, BERLIN) == {"from": "-8h"}
    assert Question("today").times(NOW, BERLIN) == {"from": "2026-03-13T23:00:00Z"}
    yesterday = {"from": "2026-03-12T23:00:00Z", "to": "2026-03-13T23:00:00Z"}
    assert Question("yesterday").times(NOW, BERLIN) == yesterday
    assert Question("7d", "early").query(NOW, BERLIN) == {"from": "2026-03-07T23:00:00Z", "shift": "early"}


def test_windows_and_shifts_go_round() -> None:
    question, seen = Question(), []
    for _ in WINDOWS:
        seen.append(question.window)
        question = question.next_window()
    assert (seen, question) == (list(WINDOWS), Question())
    shifts = [ShiftView(id="early", name="Early", begins="06:00", ends="14:00")]
    early = question.next_shift(shifts)
    assert early.text(shifts) == "last 8 h, Early"
    assert early.next_shift(shifts) == question
    assert Question(shift="gone").next_shift(shifts) == question
    assert question.text([]) == "last 8 h, all shifts"


@pytest.mark.parametrize(
    ("ratio", "text"), [(None, "-"), (0.0, "0.0 %"), (0.934, "93.4 %"), (0.99999, "99.9 %"), (1.0, "100.0 %")]
)
def test_what_is_undefined_is_a_dash_and_less_than_all_is_not_all(ratio: float | None, text: str) -> None:
    assert asset_words.share(ratio) == text


@pytest.mark.parametrize(
    ("typed", "time"),
    [
        ("", ""), ("-2h", "-2h"), ("14:30", "2026-03-14T13:30:00Z"), ("2026-07-01 06:00", "2026-07-01T04:00:00Z"),
        ("soon", None), ("-h", None), ("-2 h", None), ("25:00", None),
    ],
)  # fmt: skip
def test_a_time_is_typed_by_the_clock_of_the_site(typed: str, time: str | None) -> None:
    assert asset_words.moment(typed, BERLIN, NOW) == time


def test_unknown_says_why() -> None:
    known = site_assets.asset("a", "A", "in1", state="unknown")
    assert of_asset(known, 10.0).word == of_asset(known, None).word == "unknown"
    assert of_asset(known, 181.0).word == "silent"
    assert of_asset(site_assets.asset("a", "A", "in1", chatter=True), 10.0).word == "chatters"
    assert of_asset(site_assets.asset("a", "A", "in1", state="dreaming"), 10.0).word == "dreaming"
