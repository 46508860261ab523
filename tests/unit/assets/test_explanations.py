"""What people say of stops: kept for ever, the last word counts, and one that is repeated is said once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.assets.events import StopExplained
from edge.clock import ManualClock, Quality
from edge.errors import BadInput, NotFound, Rejected
from edge.store.boot_clock import BootClock
from edge.wire.assets import SetReason
from tests.unit.assets.asset_site import AssetSite, opened

SECOND = 1_000_000


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[AssetSite]:
    """A press, and two reasons."""
    async with opened(tmp_path, ManualClock()) as site:
        await site.press(await site.logger())
        await site.assets.set_reason("jam", SetReason(name="Jam"), actor="tess")
        await site.assets.set_reason("no-material", SetReason(name="No material"), actor="tess")
        yield site


async def test_the_last_word_counts_and_all_is_kept(site: AssetSite) -> None:
    press = site.assets.get("Press").id
    span = site.clock.at_us - 600 * SECOND, site.clock.at_us
    assert await site.assets.reason_of(press, span) == ""
    for _ in range(2):
        said = await site.assets.explain(press, span, "jam", "belt  ", actor="ann")
        assert (said.reason, said.reason_name, said.note, said.by) == ("jam", "Jam", "belt", "ann")
        assert await site.assets.reason_of(press, span) == "jam"
    await site.assets.explain("Press", span, "no-material", actor="bob")
    assert await site.assets.reason_of(press, span) == "no-material"
    await site.assets.explain(press, span, "", actor="bob")
    assert await site.assets.reason_of(press, span) == ""
    said_so = [one.reason for one in await site.assets.explanations([press], span)]
    assert said_so == ["jam", "no-material", ""]
    facts = await site.told("asset.explained")
    assert [fact["reason"] for fact in facts] == said_so
    assert facts[0] == {
        "of": press,
        "asset": press,
        "from_us": span[0],
        "to_us": span[1],
        "clock": "",
        "reason": "jam",
        "reason_name": "Jam",
        "note": "belt",
        "by": "ann",
    }
    assert sum(isinstance(one, StopExplained) for one in site.heard._events) == 3
    beside = span[1], span[1] + SECOND
    assert await site.assets.explanations([press], beside) == []
    assert await site.assets.explanations(["another"], span) == []


async def test_what_cannot_be_said_is_refused(site: AssetSite) -> None:
    span = site.clock.at_us - SECOND, site.clock.at_us
    with pytest.raises(NotFound):
        await site.assets.explain("Saw", span, "jam", actor="ann")
    with pytest.raises(NotFound, match="no reason"):
        await site.assets.explain("Press", span, "tired", actor="ann")
    with pytest.raises(BadInput):
        await site.assets.explain("Press", span, "jam", "a\0b", actor="ann")
    await site.assets.explain("Press", span, "jam", actor="ann")
    await site.assets.set_reason("jam", SetReason(name="Jam", retired=True), actor="tess")
    await site.assets.explain("Press", span, "jam", actor="ann")  # it is so already
    with pytest.raises(Rejected, match="retired"):
        await site.assets.explain("Press", span, "jam", "the belt again", actor="ann")
    (said,) = await site.assets.explanations([site.assets.get("Press").id], span)
    assert (said.reason, said.note) == ("jam", "")


async def test_said_before_the_clock_was_set_it_moves_with_its_stop(tmp_path: Path) -> None:
    clock = ManualClock(100 * SECOND, Quality.NONE)
    async with opened(tmp_path, clock) as site:
        watch = BootClock(site.store, clock)
        await watch.start()
        press = await site.press(await site.logger())
        await site.assets.set_reason("jam", SetReason(name="Jam"), actor="tess")
        await site.assets.explain(press, (clock.at_us - 20 * SECOND, clock.at_us), "jam", actor="ann")
        (fact,) = await site.told("asset.explained")
        assert fact["clock"] == "boot-1 80000"
        clock.at_us, clock.quality = 1_763_700_000 * SECOND, Quality.NTP
        await watch.look()
        now_us = clock.at_us
        (said,) = await site.assets.explanations([press], (now_us - 5 * SECOND, now_us))
        assert (said.from_us, said.to_us, said.said_us) == (now_us - 20 * SECOND, now_us, now_us)
        assert await site.assets.explanations([press], (0, 200 * SECOND)) == []
