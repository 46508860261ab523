"""Readings come in: in ranges, in any order, however often, each row once."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from cloud.db.reading_models import RollupDue
from edge.wire.sync import pack
from tests.fakes.sync_hub import SyncHub
from tests.integration.centre.hubs import enrolled, held, readings_of, site_of, stream_of
from tests.running_centre import RunningCentre

pytestmark = pytest.mark.both_engines


async def with_readings(centre: RunningCentre, count: int) -> SyncHub:
    """A hub in a session, with so many readings of several series to send."""
    hub = await enrolled(centre)
    for number in range(count):
        value: float | bool | str = (number / 4, number % 2 == 0, f"text {number}")[number % 3]
        hub.reading(value, device=f"dev-{number % 2}", key=("t", "on", "said")[number % 3])
    assert (await hub.hello()).status == 200
    return hub


async def test_ranges_in_any_order_and_overlapping_are_stored_once(centre: RunningCentre) -> None:
    hub = await with_readings(centre, 40)
    said = [
        (await hub.send_readings(*span)).body for span in ((21, 30), (5, 8), (1, 4), (25, 40), (3, 26), (1, 40))
    ]
    assert [each["next"] for each in said] == [1, 1, 9, 9, 41, 41]
    assert said[3]["ranges"] == [[21, 40]]
    assert await readings_of(centre, hub) == held(hub)
    stream = await stream_of(centre, hub, "readings")
    assert (stream.next, stream.high, stream.hash.hex()) == (41, 40, hub.digest(40))


async def test_the_same_batch_many_times_at_once_is_stored_once(centre: RunningCentre) -> None:
    hub = await with_readings(centre, 300)
    spans = [(1, 100), (101, 200), (1, 300), (50, 250), (201, 300), (1, 100), (1, 100), (150, 160)]
    answers = await asyncio.gather(*(hub.send_readings(*span) for span in spans))
    assert {answer.status for answer in answers} == {200}
    assert await readings_of(centre, hub) == held(hub)


async def test_what_the_hub_let_go_of_is_not_waited_for(centre: RunningCentre) -> None:
    hub = await with_readings(centre, 10)
    batch = hub.readings_batch(1, 10)
    sparse = msgspec.structs.replace(batch, numbers=batch.numbers[3:], texts=[])
    assert (await hub.ask("readings", pack(sparse))).body["next"] == 11
    empty = msgspec.structs.replace(batch, first=11, last=500, numbers=[], texts=[])
    assert (await hub.ask("readings", pack(empty))).body["next"] == 501
    assert len(await readings_of(centre, hub)) == len(sparse.numbers)


async def test_series_are_told_once_and_an_unknown_one_is_asked_for(centre: RunningCentre) -> None:
    hub = await with_readings(centre, 12)
    batch = msgspec.structs.replace(hub.readings_batch(1, 6), series=[])
    assert (await hub.ask("readings", pack(batch))).code == "expects"
    assert await readings_of(centre, hub) == []
    assert (await hub.send_readings(1, 6)).status == 200
    told = (await hub.hello()).body["readings"]
    assert (told["next"], told["series"], told["boots"]) == (7, len(hub.series), 1)
    later = msgspec.structs.replace(hub.readings_batch(7, 12), series=[], boots=[])
    assert (await hub.ask("readings", pack(later))).body["next"] == 13
    assert await readings_of(centre, hub) == held(hub)


async def test_a_series_under_another_name_is_forked(centre: RunningCentre) -> None:
    hub = await with_readings(centre, 6)
    await hub.send_readings(1, 3)
    hub.series = {(f"other-{device}", key): number for (device, key), number in hub.series.items()}
    assert (await hub.send_readings(4, 6)).code == "forked"
    assert len(await readings_of(centre, hub)) == 3


@pytest.mark.parametrize(
    "poison",
    [
        {0: 999},
        {0: 2},
        {1: 2**31},
        {2: -1},
        {2: 2**62},
        {3: float("nan")},
        {3: float("inf")},
        {3: "text"},
        {4: 2},
        {5: 70_000},
        {6: 2**63},
        {7: 2**63},
        {8: 2**63},
    ],
)
async def test_a_poisoned_number_is_told_apart(centre: RunningCentre, poison: dict[int, Any]) -> None:
    hub = await with_readings(centre, 6)
    sound, row = hub.readings[3], list(hub.readings[3])
    for at, value in poison.items():
        row[at] = value
    hub.readings[3] = tuple(row)  # type: ignore[assignment]
    answer = await hub.send_readings(1, 6)
    assert (answer.status, answer.code) == (422, "row-rejected")
    assert await readings_of(centre, hub) == []
    hub.readings[3] = sound
    assert (await hub.send_readings(1, 6)).body["next"] == 7


@pytest.mark.parametrize("text", ["a\0b"])
async def test_a_poisoned_text_is_told_apart(centre: RunningCentre, text: str) -> None:
    hub = await with_readings(centre, 3)
    hub.reading(text)
    assert (await hub.send_readings(1, 4)).code == "row-rejected"
    assert (await hub.send_readings(1, 3)).body["next"] == 4


async def test_every_value_comes_back_as_it_was(centre: RunningCentre) -> None:
    hub = await with_readings(centre, 0)
    for value in (0.1 + 0.2, 1e300, -1e-308, 5e-324, -0.0, 2**53, True, False, "", "ü漢🙂 \t\\", "x" * 4096):
        hub.reading(value)
    assert (await hub.send_readings(1, len(hub.readings))).status == 200
    assert await readings_of(centre, hub) == held(hub)
    asked = [(seq, hub.digest(seq)) for seq in range(1, len(hub.readings) + 1)]
    assert all(await hub.compare("readings", *asked))


async def test_rollups_are_due_once_for_the_hours_that_came(centre: RunningCentre) -> None:
    hub = await with_readings(centre, 30)
    await hub.send_readings(1, 20)
    await hub.send_readings(1, 20)
    await hub.send_readings(11, 30)
    site = await site_of(centre, hub)
    due = select(func.min(RollupDue.from_us), func.max(RollupDue.to_us)).where(RollupDue.site_id == site.id)
    async with centre.centre.db.read() as connection:
        from_us, to_us = (await connection.execute(due)).one()
    assert from_us <= hub.readings[0][2]
    assert to_us > hub.readings[29][2]
