"""What time a page asks about, by whatever names and in whatever forms its pages have for it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from edge.access.accounts.model import User
from edge.compat.assets.pages import period
from edge.compat.thingsnxt.door import Visit
from edge.errors import BadInput

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
USER = User(id="u", email="u@example.com", username="u", created_us=0)
HOUR_US, DAY_US = 3_600_000_000, period.DAY_US


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


NOW_US = us("2026-11-21T12:00:00+00:00")


def visit(**asked: str) -> Visit:
    return Visit(USER, {}, asked, b"")


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ({}, "2026-11-14T12:00:00+00:00", "2026-11-21T12:00:00+00:00"),
        ({"period": "24h"}, "2026-11-20T12:00:00+00:00", "2026-11-21T12:00:00+00:00"),
        ({"range": "30d"}, "2026-10-22T12:00:00+00:00", "2026-11-21T12:00:00+00:00"),
        ({"days": "2"}, "2026-11-19T12:00:00+00:00", "2026-11-21T12:00:00+00:00"),
        ({"period": "soon"}, "2026-11-14T12:00:00+00:00", "2026-11-21T12:00:00+00:00"),
        ({"startDate": "2026-11-20", "endDate": "2026-11-20"}, "2026-11-19T23:00:00Z", "2026-11-20T23:00:00Z"),
        ({"start_date": "2026-11-20T08:00:00.000Z"}, "2026-11-20T08:00:00+00:00", "2026-11-21T12:00:00+00:00"),
        ({"from": "2026-11-20T08:00", "to": "2026-11-20 10:00"}, "2026-11-20T07:00:00Z", "2026-11-20T09:00:00Z"),
        ({"from": "2026-11-20T08:00:00 01:00"}, "2026-11-20T07:00:00+00:00", "2026-11-21T12:00:00+00:00"),
    ],
)  # fmt: skip
def test_a_window(asked: dict[str, str], begin: str, end: str) -> None:
    assert period.asked(visit(**asked), BERLIN, NOW_US, days=7) == (us(begin), us(end))


@pytest.mark.parametrize(
    "asked",
    [
        {"startDate": "never"},
        {"startDate": "2026-13-01"},
        {"startDate": "2026-11-22"},
        {"startDate": "2026-11-20", "endDate": "2026-11-19"},
    ],
)
def test_what_is_no_window_is_said_to_be_none(asked: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        period.asked(visit(**asked), BERLIN, NOW_US, days=7)


def test_days_are_the_sites_and_may_have_23_or_25_hours() -> None:
    for date, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-21", 24)):
        named, span = period.day(date, BERLIN, NOW_US)
        assert (named, span[1] - span[0]) == (date, hours * HOUR_US)
    assert period.day("", ZoneInfo("Pacific/Kiritimati"), NOW_US)[0] == "2026-11-22"


@pytest.mark.parametrize("asked", [{"month": "2026-10"}, {"year": "2026", "month": "10"}])
def test_a_month(asked: dict[str, str]) -> None:
    named, span = period.month(visit(**asked), BERLIN, NOW_US)
    assert (named, span[1] - span[0]) == ("2026-10", 31 * DAY_US + HOUR_US)
    days = period.days_of(span, BERLIN)
    assert (len(days), days[0][0], days[-1][0]) == (31, "2026-10-01", "2026-10-31")
    assert all(one[1][1] == other[1][0] for one, other in itertools.pairwise(days))


def test_this_month_is_meant_where_none_is_named() -> None:
    assert period.month(visit(), UTC_ZONE, NOW_US)[0] == f"{datetime(2026, 11, 21, tzinfo=UTC):%Y-%m}"


@pytest.mark.parametrize(
    "asked",
    [
        {"month": "13"},
        {"month": "x"},
        {"year": "99999"},
        {"month": "2026-00"},
        {"month": "0001-01"},
        {"month": "1969-12"},
        {"month": "9999-12"},
    ],
)
def test_what_is_no_month_is_said_to_be_none(asked: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        period.month(visit(**asked), BERLIN, NOW_US)


@pytest.mark.parametrize("zone", [BERLIN, UTC_ZONE, ZoneInfo("America/New_York")])
def test_days_and_months_outside_what_is_kept_are_refused(zone: ZoneInfo) -> None:
    for text in ("0001-01-01", "1969-12-30", "9999-12-31"):
        with pytest.raises(BadInput):
            period.day(text, zone, NOW_US)
    named, (begin_us, end_us) = period.day("1970-01-02", zone, NOW_US)
    assert (named, begin_us >= 0, end_us - begin_us) == ("1970-01-02", True, DAY_US)
    assert period.month(visit(month="1970-01"), zone, NOW_US)[1][0] >= 0
