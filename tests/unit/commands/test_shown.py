"""Codes shown are counted by the site's local day, whatever its length, from what happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.commands.shown import Shown, midnight_us
from edge.wire.orders import Outcome, Verdict
from tests.unit.commands.queue_site import DONE, QueueSite, queue_site

BERLIN = ZoneInfo("Europe/Berlin")
DAY_S = 86_400


def at_us(text: str, zone: ZoneInfo = BERLIN) -> int:
    """A local time as UTC microseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1_000_000)


async def counted(site: QueueSite, zone: ZoneInfo = BERLIN) -> Shown:
    """A count over the site's commands, following them."""
    shown = Shown(site.store.hub, site.clock, zone)
    await shown.start()
    site.commands.follow_with(shown.follow)
    return shown


async def show(site: QueueSite, device_id: str, outcome: Outcome = DONE, kind: str = "display_qr") -> None:
    """Hand a command to a display that answers so."""
    given_to, args = site.registry.known(device_id), {"payload": "x"} if kind == "display_qr" else {}
    command = await site.commands.accept(given_to, kind, args, actor="ann")
    begun = await site.commands.begin(command, "serial")
    assert begun is not None
    await site.commands.settle(begun, outcome)


@pytest.mark.parametrize(
    ("noon", "hours"), [("2026-03-29 12:00", 23), ("2026-10-25 12:00", 25), ("2026-06-01 12:00", 24)]
)
def test_a_day_is_as_long_as_it_is_there(noon: str, hours: int) -> None:
    begins = midnight_us(at_us(noon), BERLIN)
    ends = begins + hours * 3600 * 1_000_000
    assert midnight_us(ends - 1, BERLIN) == begins
    assert midnight_us(ends, BERLIN) == ends


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001 - a UTC time without its name
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe"]),
)
def test_midnight_is_the_start_of_its_own_day(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    now_us = int(moment.replace(tzinfo=ZoneInfo("UTC")).timestamp()) * 1_000_000
    begins = midnight_us(now_us, zone)
    assert 0 <= now_us - begins < timedelta(hours=25) / timedelta(microseconds=1)
    assert midnight_us(begins, zone) == begins
    local = datetime.fromtimestamp(begins / 1_000_000, zone)
    assert local.date() == datetime.fromtimestamp(now_us / 1_000_000, zone).date()


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25", "2026-12-31"])
async def test_the_clock_turning_midnight_begins_a_new_count(tmp_path: Path, day: str) -> None:
    clock = ManualClock(at_us(f"{day} 23:59:59"))
    async with queue_site(tmp_path, clock) as site:
        shown = await counted(site)
        device = await site.display()
        for _ in range(2):
            await show(site, device.id)
        assert shown.of(device.id) == (2, 2)
        clock.advance(1.0)
        assert shown.of(device.id) == (0, 2)
        await show(site, device.id)
        assert shown.of(device.id) == (1, 3)


async def test_a_restart_counts_the_same(tmp_path: Path) -> None:
    clock = ManualClock(at_us("2026-10-25 00:30"))
    async with queue_site(tmp_path, clock) as site:
        shown = await counted(site)
        device = await site.display()
        clock.advance(-3600)
        await show(site, device.id)
        clock.advance(3600)
        shown.of(device.id)
        for _ in range(25):
            await show(site, device.id)
            clock.advance(3500)  # 24.3 hours of a day of 25
        counts = shown.of(device.id)
    async with queue_site(tmp_path, clock) as site:
        again = await counted(site)
        assert again.of(device.id) == counts
        assert counts == (25, 26)


async def test_only_codes_that_were_shown_count(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        shown = await counted(site)
        device = await site.display()
        await show(site, device.id, Outcome(verdict=Verdict.FAILED))
        await show(site, device.id, kind="start_rotation")
        assert shown.of(device.id) == (0, 0)
        assert shown.of("nobody") == (0, 0)
