"""What head office may ask of assets: under the site's rules, all of it or nothing, and once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge.assets.defined.orders import AssetOrders
from edge.assets.defined.reasons import StopReasons
from edge.assets.defined.wirings import whole_ms
from edge.clock import ManualClock
from edge.errors import BadInput, Conflict, NotFound, OutpostError
from edge.store.transaction import Transaction
from tests.unit.assets.asset_site import KOLKATA, AssetSite, opened
from tests.unit.assets.memory_bands import MemoryBands

ANN = "centre:ann"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[AssetSite]:
    """A logger, and a press."""
    async with opened(tmp_path, ManualClock()) as site:
        await site.press(await site.logger())
        yield site


def ended(tx: Transaction) -> None:
    """As the downlink writes down that an item is done."""
    tx.fact("inbox.applied", "item-1")


async def ask(site: AssetSite, **body: Any) -> None:
    """An order of head office."""
    reasons = StopReasons(site.assets, MemoryBands(), site.clock, KOLKATA)
    await AssetOrders(site.assets, reasons).apply(body, ANN, ended)


async def test_an_order_and_its_end_are_one(site: AssetSite) -> None:
    device = site.registry.get("Hall 1").id
    await ask(site, do="add", asset="asset-saw", name="Saw", device=device, input="in2", at=None)
    await ask(site, do="add", asset="asset-saw", name="Saw", device=device, input="in2")  # it comes again
    await ask(site, do="change", asset="asset-saw", line="Wood")
    await ask(site, do="wire", asset="asset-saw", device=device, input="in2", inverted=True)
    await ask(site, do="reason", id="jam", name="Jam")
    await ask(site, do="shift", id="early", name="Early", begins="06:00", ends="14:00", days=[1, 2])
    await ask(site, do="planned", id="night", name="Night", begins="22:00", ends="06:00", assets=["asset-saw"])
    saw, rules = site.assets.get("asset-saw"), site.assets.rules()
    assert (saw.name, saw.line, saw.wired.inverted) == ("Saw", "Wood", True)
    assert [len(found) for found in (rules.reasons, rules.shifts, rules.planned)] == [1, 1, 1]
    await ask(site, do="no_shift", id="early")
    await ask(site, do="no_planned", id="night")
    await ask(site, do="change", asset="asset-saw", removed=True)
    assert site.assets.get("asset-saw").removed
    assert len(await site.told("inbox.applied")) == 10
    assert [fact["by"] for fact in await site.told("asset.rules")] == [ANN] * 5


async def test_from_now_on_means_when_it_was_asked(site: AssetSite) -> None:
    device, now_us = site.registry.get("Hall 1").id, site.clock.now().at_us
    asked_us, ahead_us = now_us - 7 * 86_400_000_000, now_us + 86_400_000_000
    await ask(site, do="add", asset="asset-saw", name="Saw", device=device, input="in2", asked_us=asked_us)
    assert site.assets.get("asset-saw").wired.from_us == whole_ms(asked_us)
    await ask(site, do="wire", asset="asset-saw", device=device, input="in3", asked_us=ahead_us)
    assert site.assets.get("asset-saw").wired.from_us == whole_ms(now_us), "its own clock is behind"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, BadInput),
        ({"do": "dance"}, BadInput),
        ({"do": 7}, BadInput),
        ({"do": "add", "asset": "asset-1", "name": "Saw"}, BadInput),
        ({"do": "add", "asset": "A saw", "name": "Saw", "device": "Hall 1", "input": "in2"}, BadInput),
        ({"do": "add", "asset": "asset-1", "name": "Press", "device": "Hall 1", "input": "in2"}, Conflict),
        ({"do": "add", "asset": "asset-1", "name": "Saw", "device": "Hall 9", "input": "in2"}, NotFound),
        ({"do": "change", "asset": "Saw", "line": "Wood"}, NotFound),
        ({"do": "change", "asset": "Press", "colour": "red"}, BadInput),
        ({"do": "change", "asset": ["Press"]}, BadInput),
        ({"do": "wire", "asset": "Press", "device": "Hall 1", "input": "alive"}, BadInput),
        ({"do": "explain", "asset": "Press", "stop": "1", "reason": ""}, NotFound),
        ({"do": "explain", "asset": "Press", "stop": "-1", "reason": ""}, NotFound),
        ({"do": "explain", "asset": "Press", "reason": ""}, NotFound),
        ({"do": "reason", "name": "Jam"}, BadInput),
        ({"do": "shift", "id": "early", "name": "Early", "begins": "6:00", "ends": "14:00"}, BadInput),
        ({"do": "no_shift", "id": "early"}, NotFound),
        ({"do": "planned", "id": "night", "name": "Night"}, BadInput),
        ({"do": "no_planned"}, NotFound),
    ],
)
async def test_what_is_refused_leaves_nothing(
    site: AssetSite, body: dict[str, Any], why: type[OutpostError]
) -> None:
    before = site.assets.all(), site.assets.rules()
    with pytest.raises(why):
        await ask(site, **body)
    assert (site.assets.all(), site.assets.rules()) == before
    assert await site.told("inbox.applied") == []
