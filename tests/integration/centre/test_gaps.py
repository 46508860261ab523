"""What is known to be lost of a device's readings: told for it and for its whole hub, and for nobody else."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import insert

from cloud.db.models import FactRow
from edge.clock import iso
from tests.filled_centre import HOUR_US, NOW_US, Filled, fact_rows
from tests.running_centre import RunningCentre

DEVICE = {"stream": "device", "why": "the device had no room for them", "count": 12, "first": 3, "epoch": "e"}
HUB = {"stream": "readings", "why": "readings.db was past 64 MB", "first": 11, "last": 20, "kept_every": 4}
PATH = "/v1/devices/d1/gaps"
DAY = f"?from={iso(NOW_US - 24 * HOUR_US)}&to={iso(NOW_US + HOUR_US)}"


@pytest.fixture
async def filled(centre: RunningCentre) -> Filled:
    """Two sites with a device each."""
    filled = Filled(centre.centre.db)
    for number, slug in ((1, "pune"), (2, "lyon")):
        await filled.site(number, slug)
        await filled.device(number, f"d{number}")
    return filled


async def tell(filled: Filled, site: int, *told: tuple[str, object, int]) -> None:
    """Gaps: their subject, what the fact says, and how many hours ago it was told."""
    rows = fact_rows(site, 1, list(range(100 * site, 100 * site + len(told))), 0, kind="gap", device="")
    for row, (subject, body, hours) in zip(rows, told, strict=True):
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        row |= {"subject": subject, "body": text, "at_us": NOW_US - hours * HOUR_US}
    async with filled.db.write() as connection:
        await connection.execute(insert(FactRow), rows)


async def test_gaps_of_a_device_and_of_its_hub(centre: RunningCentre, filled: Filled) -> None:
    span = {"from_us": NOW_US - 9 * HOUR_US, "to_us": NOW_US - 8 * HOUR_US}
    await tell(filled, 1, ("d1", DEVICE, 3), ("readings", HUB | span, 2), ("other", DEVICE, 1), ("d1", DEVICE, 90))
    await tell(filled, 2, ("d1", DEVICE, 1), ("readings", HUB, 1))
    hub, device = (await centre.get(PATH + DAY)).body["items"]
    assert (hub["where"], hub["count"], hub["kept_every"]) == ("hub", 10, 4)
    assert (hub["from_at"], hub["to_at"]) == (iso(span["from_us"]), iso(span["to_us"]))
    assert (device["where"], device["count"], device["from_at"]) == ("device", 12, None)
    assert (device["at"], device["why"]) == (iso(NOW_US - 3 * HOUR_US), DEVICE["why"])
    early = await centre.get(f"{PATH}?from={iso(NOW_US - 24 * HOUR_US)}&to={iso(NOW_US - 5 * HOUR_US)}")
    assert [gap["where"] for gap in early.body["items"]] == ["hub"], "by when they were, not by when they were told"


async def test_what_a_hub_says_wrongly_is_told_as_far_as_it_can_be(centre: RunningCentre, filled: Filled) -> None:
    strange = {"why": ["x"] * 1000, "count": -5, "from_us": "never", "to_us": 10**18, "first": 9, "last": 1}
    await tell(filled, 1, ("d1", strange, 1), ("readings", strange, 2), ("d1", "[[", 3))
    items = (await centre.get(PATH + DAY)).body["items"]
    assert [gap["count"] for gap in items] == [0, 0, 0]
    assert [gap["to_at"] for gap in items] == [None, None, None]
