"""Reasons, shifts and planned time: what is refused, what is told, and what the calendar makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.assets.events import RulesChanged
from edge.clock import ManualClock
from edge.errors import BadInput, Conflict, NotFound
from edge.wire.assets import SHIFTS_MAX, SetPlanned, SetReason, SetShift
from tests.unit.assets.asset_site import AssetSite, opened

HOUR_US = 3600 * 1_000_000
MONDAY_US = 1_764_527_400_000_000  # 2025-12-01 00:00 at the site, Asia/Kolkata


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[AssetSite]:
    """Nothing in it."""
    async with opened(tmp_path, ManualClock()) as site:
        yield site


def events(site: AssetSite) -> list[RulesChanged]:
    """What was told of rules since this was last asked."""
    found = [one for one in site.heard._events if isinstance(one, RulesChanged)]
    site.heard._events.clear()
    return found


async def test_rules_are_kept_and_told_once(site: AssetSite, tmp_path: Path) -> None:
    for _ in range(2):
        await site.assets.set_reason("no-material", SetReason(name="No material"), actor="tess")
        await site.assets.set_shift("early", SetShift(name="Early", begins="06:00", ends="14:00"), actor="tess")
    assert events(site) == [RulesChanged(), RulesChanged()]
    told = [(fact["what"], fact["now"]["id"], fact["by"]) for fact in await site.told("asset.rules")]
    assert told == [("reason", "no-material", "tess"), ("shift", "early", "tess")]
    await site.assets.set_reason("no-material", SetReason(name="Material", retired=True), actor="tess")
    await site.assets.set_shift(
        "late", SetShift(name="Late", begins="14:00", ends="22:00", days=[5, 1, 5]), actor="t"
    )
    rules = site.assets.rules()
    assert rules.timezone == "Asia/Kolkata"
    assert [(one.id, one.name, one.retired) for one in rules.reasons] == [("no-material", "Material", True)]
    assert [(one.id, one.days) for one in rules.shifts] == [("early", [1, 2, 3, 4, 5, 6, 7]), ("late", [1, 5])]
    await site.store.close()
    async with opened(tmp_path, site.clock) as again:
        assert again.assets.rules() == rules
        await again.assets.remove_shift("early", actor="tess")
        with pytest.raises(NotFound):
            again.assets.shift("early")
        with pytest.raises(NotFound):
            await again.assets.remove_shift("early", actor="tess")


async def test_planned_time_is_weekly_or_once(site: AssetSite) -> None:
    press = await site.press(await site.logger())
    night = SetPlanned(name="Night", begins="22:00", ends="06:00", days=[1], assets=["Press"])
    kept = await site.assets.set_planned("night", night, actor="tess")
    assert kept.assets == [press]
    holiday = SetPlanned(name="Holiday", at="2025-12-02T00:00:00+05:30", to="2025-12-03T00:00:00+05:30")
    await site.assets.set_planned("holiday", holiday, actor="tess")
    week = MONDAY_US, MONDAY_US + 7 * 24 * HOUR_US
    whole = [(MONDAY_US + 22 * HOUR_US, MONDAY_US + 48 * HOUR_US)]  # the night runs into the holiday
    assert site.assets.planned_spans(press, week) == whole
    assert site.assets.planned_spans("another", week) == [(MONDAY_US + 24 * HOUR_US, MONDAY_US + 48 * HOUR_US)]
    assert events(site) == [
        RulesChanged(planned_from_us=0),
        RulesChanged(planned_from_us=MONDAY_US + 24 * HOUR_US),
    ]
    await site.assets.remove_planned("night", actor="tess")
    assert [one.id for one in site.assets.rules().planned] == ["holiday"]
    assert events(site) == [RulesChanged(planned_from_us=0)]


@pytest.mark.parametrize(
    "wanted",
    [
        SetPlanned(name="Neither"),
        SetPlanned(name="Both", begins="22:00", ends="06:00", at="2025-12-02T00:00:00Z", to="2025-12-03T00:00:00Z"),
        SetPlanned(name="Half", begins="22:00"),
        SetPlanned(name="Half", at="2025-12-02T00:00:00Z"),
        SetPlanned(name="Backwards", at="2025-12-03T00:00:00Z", to="2025-12-02T00:00:00Z"),
        SetPlanned(name="No day", begins="22:00", ends="06:00", first="2025-02-30"),
        SetPlanned(name="Backwards", begins="22:00", ends="06:00", first="2025-12-02", last="2025-12-01"),
        SetPlanned(name="Too late", begins="24:00", ends="06:00"),
        SetPlanned(name="Nobody's time", at="2025-12-02 00:00", to="2025-12-03T00:00:00Z"),
        SetPlanned(name=" ", begins="22:00", ends="06:00"),
    ],
    ids=lambda wanted: wanted.name,
)
async def test_what_is_no_planned_time_is_refused(site: AssetSite, wanted: SetPlanned) -> None:
    with pytest.raises(BadInput):
        await site.assets.set_planned("odd", wanted, actor="tess")
    assert site.assets.rules().planned == []


async def test_ids_are_plain_and_there_are_so_many(site: AssetSite) -> None:
    shift = SetShift(name="Shift", begins="06:00", ends="14:00")
    for odd in ("", "Early", "a b", "-a", "a-", "x" * 41, "é"):
        with pytest.raises(BadInput):
            await site.assets.set_shift(odd, shift, actor="tess")
    planned = SetPlanned(name="Night", begins="22:00", ends="06:00", assets=["nobody"])
    with pytest.raises(NotFound):
        await site.assets.set_planned("night", planned, actor="tess")
    for number in range(SHIFTS_MAX):
        await site.assets.set_shift(f"s{number}", shift, actor="tess")
    with pytest.raises(Conflict):
        await site.assets.set_shift("one-more", shift, actor="tess")
    await site.assets.set_shift("s0", shift, actor="tess")
