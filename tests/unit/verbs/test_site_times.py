"""Times as people at a site say them, days of the week as they write them, and spans in two units."""

from __future__ import annotations

import pytest

from edge.errors import BadInput
from edge.verbs.asset_rules import days
from edge.verbs.site_times import SiteTimes, lasting, percent

NOW = "2026-11-21T09:00:00.000Z"
HUB = SiteTimes({"": "Asia/Kolkata"}, NOW)
BOTH = SiteTimes({"pune": "Asia/Kolkata", "lyon": "Europe/Paris"}, NOW)


def test_a_time_is_shown_on_the_wall_of_its_site() -> None:
    assert HUB.shown("2026-11-21T06:30:15.250Z") == "12:00:15"
    assert HUB.shown("2026-11-20T18:29:00.000Z") == "2026-11-20 23:59"
    assert HUB.shown("2026-11-20T18:31:00.000Z") == "00:01:00"  # today, there
    assert (BOTH.shown(NOW, "pune"), BOTH.shown(NOW, "lyon")) == ("14:30:00", "10:00:00")
    assert BOTH.shown(NOW, "a site that came later") == "09:00:00"
    assert HUB.shown(None) is None


def test_a_time_that_is_asked_for_is_one_on_the_wall() -> None:
    assert HUB.asked("2026-11-21T06:00") == "2026-11-21T06:00:00+05:30"
    assert HUB.asked("2026-11-21") == "2026-11-21T00:00:00+05:30"
    assert HUB.asked("2026-11-21T06:00:00+00:00") == "2026-11-21T06:00:00+00:00"
    assert [HUB.asked(text) for text in ("-24h", "yesterday", "")] == ["-24h", "yesterday", ""]
    assert BOTH.asked("2026-11-21T06:00Z") == "2026-11-21T06:00Z"
    with pytest.raises(BadInput, match="another moment at each site"):
        BOTH.asked("2026-11-21T06:00")


def test_a_zone_that_is_not_known_here_is_utc() -> None:
    assert SiteTimes({"": "Mars/Olympus"}, NOW).shown(NOW) == "09:00:00"


def test_spans_and_shares() -> None:
    spans = {
        0.4: "0 s",
        59.4: "59 s",
        60: "1 min",
        95: "1 min 35 s",
        3600: "1 h",
        3719: "1 h 1 min",
        90_000: "1 d 1 h",
    }
    assert {seconds: lasting(seconds) for seconds in spans} == spans
    assert (lasting(None), percent(None), percent(0.93416), percent(1.0)) == (None, None, "93.4 %", "100.0 %")


def test_days_of_the_week() -> None:
    assert days(None) == []
    assert days("mon-fri") == [1, 2, 3, 4, 5]
    assert days("Sat, sun") == [6, 7]
    assert days("fri-mon,fri") == [1, 5, 6, 7]
    assert days("mon-mon") == [1]
    for wrong in ("moon", "1-5", ","):
        with pytest.raises(BadInput, match="no day of the week"):
            days(wrong)
