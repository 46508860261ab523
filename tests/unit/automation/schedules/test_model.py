"""When a schedule is due, over zones, clock changes and reboots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.automation.schedules.model import (
    AHEAD_DAYS,
    LATE_S,
    TIMER_MAX_S,
    Due,
    Schedule,
    Target,
    duration_s,
    judge,
    wall_us,
)
from edge.clock import Quality, Stamp
from edge.errors import BadInput

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
TARGET = Target(owner="u", widget_id="w", device_id="d", key="v0", value=1)
NOW_US = 1_763_700_000_000_000


def us(text: str) -> int:
    """An instant given with its offset."""
    return int(datetime.fromisoformat(text).timestamp() * 1_000_000)


def test_a_time_without_an_offset_is_the_sites_own() -> None:
    assert wall_us("2026-11-21T18:30:00", KOLKATA, us("2026-11-21T00:00+00:00")) == us("2026-11-21T18:30+05:30")
    assert wall_us("2026-11-21T18:30:00", BERLIN, us("2026-11-21T00:00+00:00")) == us("2026-11-21T18:30+01:00")


def test_an_offset_is_what_it_says_wherever_the_site_is() -> None:
    assert wall_us("2026-11-21T18:30:00Z", KOLKATA, us("2026-11-21T00:00+00:00")) == us("2026-11-21T18:30+00:00")


def test_a_time_that_the_clocks_skip_comes_an_hour_later() -> None:
    assert wall_us("2026-03-29T02:30", BERLIN, us("2026-03-28T00:00+00:00")) == us("2026-03-29T03:30+02:00")


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    assert wall_us("2026-10-25T02:30", BERLIN, us("2026-10-24T00:00+00:00")) == us("2026-10-25T02:30+02:00")


DAYS = st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-01-01"))


@given(DAYS, st.sampled_from([BERLIN, KOLKATA]))
def test_a_local_time_reads_the_same_again_unless_the_clocks_skip_it(local: datetime, zone: ZoneInfo) -> None:
    at_us = wall_us(local.isoformat(), zone, us("2025-12-31T00:00+00:00"))
    again = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(zone).replace(tzinfo=None)
    assert again - local.replace(microsecond=0) in (timedelta(0), timedelta(hours=1))


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "2026-13-01T00:00", "99999-01-01T00:00", "1999-01-01T00:00", "9999-12-31T23:59", 5, None],
)
def test_what_is_no_time_past_or_too_far_ahead_is_refused(text: object) -> None:
    with pytest.raises(BadInput):
        wall_us(text, KOLKATA, NOW_US)


def test_a_year_ahead_is_the_most() -> None:
    now = datetime.fromtimestamp(NOW_US / 1_000_000, UTC)
    wall_us((now + timedelta(days=AHEAD_DAYS - 1)).isoformat(), KOLKATA, NOW_US)
    with pytest.raises(BadInput):
        wall_us((now + timedelta(days=AHEAD_DAYS + 1)).isoformat(), KOLKATA, NOW_US)


@pytest.mark.parametrize("asked", [0, -1, TIMER_MAX_S + 1, True, "10", None, float("nan"), float("inf")])
def test_a_timer_runs_for_more_than_nothing_and_a_day_at_most(asked: object) -> None:
    with pytest.raises(BadInput):
        duration_s(asked)


def stamp(at_us: int, mono_ms: int, boot: str = "b1", quality: Quality = Quality.NTP) -> Stamp:
    """A moment."""
    return Stamp(at_us, quality, boot, mono_ms)


def timer(after_s: int) -> Schedule:
    """A timer begun at NOW_US, 1,000 ms after the boot b1."""
    return Schedule(
        id="s",
        target=TARGET,
        label="",
        due_us=NOW_US + after_s * 1_000_000,
        created_us=NOW_US,
        boot_id="b1",
        due_ms=1000 + after_s * 1000,
    )


@given(st.integers(-(10**15), 10**15), st.integers(0, 120_000))
def test_a_clock_that_is_set_moves_no_timer(step_us: int, passed_ms: int) -> None:
    now = stamp(NOW_US + step_us + passed_ms * 1000, 1000 + passed_ms)
    assert (judge(timer(60), now) is Due.WAIT) == (passed_ms < 60_000)


def test_after_a_reboot_a_timer_runs_at_the_wall_time_it_would_have_had() -> None:
    assert judge(timer(60), stamp(NOW_US + 59_000_000, 5, "b2")) is Due.WAIT
    assert judge(timer(60), stamp(NOW_US + 61_000_000, 5, "b2")) is Due.RUN


def test_late_is_better_than_never_but_not_for_long() -> None:
    schedule = Schedule(id="s", target=TARGET, label="", due_us=NOW_US, created_us=NOW_US - 1)
    late_us = int(LATE_S * 1_000_000)
    assert judge(schedule, stamp(NOW_US - 1000, 0)) is Due.WAIT
    assert judge(schedule, stamp(NOW_US + late_us, 0)) is Due.RUN
    assert judge(schedule, stamp(NOW_US + late_us + 1000, 0)) is Due.MISSED
