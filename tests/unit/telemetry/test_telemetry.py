"""Readings over a real database: on disk before anybody is told, the newest in memory, told once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from edge.bus import Event
from edge.clock import Quality
from edge.errors import BadInput, StorageError, StorageFull
from edge.store.database import Database
from edge.telemetry.events import ReadingsArrived
from edge.telemetry.folding import Folding, Keep
from edge.telemetry.lane import WAITING
from edge.telemetry.model import KEYS_PER_DEVICE, KEYS_PER_READING
from edge.telemetry.telemetry import Telemetry
from tests.unit.telemetry.conftest import KOLKATA, Site, sensor

SECOND = 1_000_000


async def stored(site: Site) -> list[tuple[Any, ...]]:
    """Every reading in the order it came: device, key, value, at_us, quality, boot, ms."""
    rows = await site.store.readings.read(
        "SELECT device_id, key, value, at_us, quality, boot, mono_ms FROM readings JOIN series ON id = series_id"
        " ORDER BY seq"
    )
    return [tuple(row) for row in rows]


async def heard(site: Site, count: int) -> list[Event]:
    """The next events."""
    return [await asyncio.wait_for(site.heard.get(), 60) for _ in range(count)]


def folding(site: Site, telemetry: Telemetry) -> Folding:
    """Its background work, that keeps everything."""
    keep = Keep(readings_days=31, rollups_days=365, readings_mb=1000)
    return Folding(telemetry, site.store, site.clock, KOLKATA, keep)


async def test_what_was_taken_is_there_after_a_restart(site: Site) -> None:
    values = {"t": 21.5, "n": 2**60 + 1, "on": True, "state": "open", "nothing": None}
    async with site.opened() as telemetry:
        ingested = await telemetry.ingest(site.device, values)
        assert (ingested.accepted, ingested.refused) == (4, ["nothing: null is no value."])
        before = dict(telemetry.latest("dev-1"))
    async with site.opened() as telemetry:
        assert dict(telemetry.latest("dev-1")) == before
        assert {key: latest.value for key, latest in before.items()} == {
            "t": 21.5,
            "n": 2**60 + 1,
            "on": True,
            "state": "open",
        }
        assert before["on"].value is True


async def test_the_newest_values_are_there_after_a_restart_when_they_are_folded(site: Site) -> None:
    async with site.opened() as telemetry:
        await telemetry.ingest(site.device, {"a": 1, "b": "x"})
        await folding(site, telemetry).fold()
        await telemetry.ingest(site.device, {"a": 2})
        await telemetry.ingest(site.device, {"b": "old"}, at_us=site.clock.at_us - 60 * SECOND)
        before = dict(telemetry.latest("dev-1"))
    async with site.opened() as telemetry:
        assert telemetry.unfolded == 2
        assert dict(telemetry.latest("dev-1")) == before
        assert before["b"].value == "x"


async def test_it_is_told_once_it_is_on_disk(site: Site) -> None:
    async with site.opened() as telemetry:
        await telemetry.ingest(site.device, {"a": 1, "b": None})
        await telemetry.ingest(site.device, {"a": 0}, at_us=site.clock.at_us - 3600 * SECOND)
        at_us = site.clock.at_us
        assert await heard(site, 2) == [
            ReadingsArrived(device_id="dev-1", at_us=at_us, values={"a": 1}, historical=False),
            ReadingsArrived(device_id="dev-1", at_us=at_us - 3600 * SECOND, values={"a": 0}, historical=True),
        ]
        assert telemetry.latest("dev-1")["a"].value == 1


async def test_what_came_together_is_committed_together(site: Site) -> None:
    async with site.opened() as telemetry:
        await telemetry.ingest(site.device, {"a": 0})
        before = site.store.readings.writer.commits
        await asyncio.gather(*(telemetry.ingest(sensor(f"dev-{n}"), {"a": n, "b": n}) for n in range(50)))
        assert site.store.readings.writer.commits - before <= 2
        assert [row[2] for row in await stored(site)] == [0, *(n for n in range(50) for _ in "ab")]
        assert telemetry.accepted == 101


async def test_a_caller_who_leaves_takes_nobody_with_him(site: Site) -> None:
    async with site.opened() as telemetry:
        calls = [asyncio.create_task(telemetry.ingest(site.device, {"a": n})) for n in range(5)]
        await asyncio.sleep(0)
        calls[2].cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [isinstance(answer, BaseException) for answer in answers] == [False, False, True, False, False]
        await telemetry.settled()
        assert len(await stored(site)) == 5, "it was on its way to the disk"


async def test_a_device_that_invents_keys_is_stopped(site: Site) -> None:
    async with site.opened() as telemetry:
        for start in range(0, KEYS_PER_DEVICE, KEYS_PER_READING):
            await telemetry.ingest(site.device, {f"k{start + n}": n for n in range(KEYS_PER_READING)})
        ingested = await telemetry.ingest(site.device, {"another": 1, "k0": 2})
        assert ingested.accepted == 1
        assert ingested.refused == [f"another: the device has used {KEYS_PER_DEVICE} different keys already."]


@pytest.mark.parametrize("at_us", [0, -1, 2**62])
async def test_an_impossible_time_is_refused(site: Site, at_us: int) -> None:
    async with site.opened() as telemetry:
        with pytest.raises(BadInput):
            await telemetry.ingest(site.device, {"a": 1}, at_us=at_us)
        assert await stored(site) == []


async def test_nothing_is_taken_when_the_disk_is_full(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site.opened() as telemetry:
        monkeypatch.setattr(site.store.space, "low", lambda: True)
        with pytest.raises(StorageFull):
            await telemetry.ingest(site.device, {"a": 1})
        assert telemetry.latest("dev-1") == {}


async def test_a_failed_commit_is_told_and_the_next_one_works(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site.opened() as telemetry:
        whole = Database.write

        async def failing(*_: object) -> None:
            raise StorageError("The commit failed: disk I/O error.")

        monkeypatch.setattr(Database, "write", failing)
        with pytest.raises(StorageError):
            await telemetry.ingest(site.device, {"new": 1})
        assert telemetry.latest("dev-1") == {}
        monkeypatch.setattr(Database, "write", whole)
        assert (await telemetry.ingest(site.device, {"new": 2})).accepted == 1
        assert [row[:3] for row in await stored(site)] == [("dev-1", "new", 2)]


async def test_one_that_cannot_be_stored_fails_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a value ever get past the checks that SQLite cannot hold."""
    monkeypatch.setattr("edge.telemetry.telemetry.plain", lambda values, known: set(values) <= set(known))
    async with site.opened() as telemetry:
        await telemetry.ingest(site.device, {"a": 1})
        answers = await asyncio.gather(
            *(telemetry.ingest(site.device, {"a": value}) for value in (2, 2**70, 3)), return_exceptions=True
        )
        assert [isinstance(answer, OverflowError) for answer in answers] == [False, True, False]
        assert [row[2] for row in await stored(site)] == [1, 2, 3]


async def test_no_more_than_memory_holds_waits_for_the_disk(site: Site) -> None:
    async with site.opened() as telemetry:
        calls = [asyncio.create_task(telemetry.ingest(site.device, {"a": n})) for n in range(WAITING + 100)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        refused = sum(isinstance(answer, StorageError) for answer in answers)
        assert refused == 100
        assert len(await stored(site)) == WAITING


async def test_a_forgotten_device_has_no_present_but_a_past(site: Site) -> None:
    async with site.opened() as telemetry:
        await telemetry.ingest(site.device, {"a": 1})
        await folding(site, telemetry).forget("dev-1")
        assert telemetry.latest("dev-1") == {}
    async with site.opened() as telemetry:
        assert telemetry.latest("dev-1") == {}
        page = await telemetry.history("dev-1", "a", 0, site.clock.at_us + 1)
        assert [point.value for point in page.points] == [1]


async def test_an_age_is_told_only_where_the_clocks_can_tell(site: Site) -> None:
    async with site.opened() as telemetry:
        await telemetry.ingest(site.device, {"a": 1})
        site.clock.advance(5)
        assert telemetry.age_s(telemetry.latest("dev-1")["a"], site.clock.now()) == 5
        site.clock.quality = Quality.NONE
        await telemetry.ingest(site.device, {"b": 1})
        site.clock.advance(7)
        b = telemetry.latest("dev-1")["b"]
        assert telemetry.age_s(b, site.clock.now()) == 7
        site.clock.quality = Quality.NTP
        assert telemetry.age_s(b, site.clock.now()) is None
    site.clock.reboot(wall_us=site.clock.at_us - 3600 * SECOND, quality=Quality.NONE)
    async with site.opened() as telemetry:
        assert telemetry.age_s(telemetry.latest("dev-1")["a"], site.clock.now()) == 0
        await telemetry.ingest(site.device, {"a": 2})
        assert telemetry.latest("dev-1")["a"].value == 2, "live, whatever the clock says"
