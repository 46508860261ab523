"""What is too old or too much goes: in slices, told, and never what is not folded or the newest."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edge.clock import Quality
from edge.errors import StorageError
from edge.serving.buckets import DAY_S
from edge.store.database import Database
from edge.store.ledger import facts
from edge.telemetry import retention_store
from edge.telemetry.folding import FOLD_AFTER_S, Folding, Keep
from edge.telemetry.store import FOLD_ROWS
from edge.telemetry.telemetry import Telemetry
from tests.unit.telemetry.conftest import KOLKATA, Site
from tests.unit.telemetry.test_history import everything
from tests.unit.telemetry.test_telemetry import stored

SECOND = 1_000_000


def keeping(site: Site, telemetry: Telemetry, **keep: int) -> Folding:
    """Background work that keeps so much."""
    return Folding(
        telemetry,
        site.store,
        site.clock,
        KOLKATA,
        Keep(**{"readings_days": 31, "rollups_days": 365, "readings_mb": 1000, **keep}),
    )


async def days(site: Site, telemetry: Telemetry, count: int) -> None:
    """A reading a day, the clock moving with them."""
    for number in range(count):
        await telemetry.ingest(site.device, {"a": number})
        site.clock.advance(DAY_S)


async def test_old_readings_go_and_their_hours_stay(site: Site) -> None:
    async with site.opened() as telemetry:
        work = keeping(site, telemetry)
        await days(site, telemetry, 40)
        await work.fold()
        await work.retain()
        assert [row[2] for row in await stored(site)] == list(range(9, 40))
        assert [point.value for point in await everything(telemetry, "a")] == list(range(9, 40))
        assert len(await everything(telemetry, "a", bucket_s=3600)) == 40
        assert work.expired == 9
        site.clock.advance(345 * DAY_S)
        await work.retain()
        assert len(await everything(telemetry, "a", bucket_s=3600)) == 20
        assert [row[2] for row in await stored(site)] == [39], "the newest stays, so that its number is not reused"


async def test_a_late_reading_of_a_deleted_hour_is_added_to_it(site: Site) -> None:
    async with site.opened() as telemetry:
        work, us = keeping(site, telemetry), site.clock.at_us
        await days(site, telemetry, 40)
        await work.fold()
        await work.retain()
        await telemetry.ingest(site.device, {"a": 10}, at_us=us)
        await work.fold()
        first = (await everything(telemetry, "a", bucket_s=3600))[0]
        assert first.bucket is not None
        assert (first.bucket.count, first.bucket.min, first.bucket.max) == (2, 0, 10)


async def test_a_clock_that_is_not_set_deletes_nothing(site: Site) -> None:
    async with site.opened() as telemetry:
        work = keeping(site, telemetry)
        await days(site, telemetry, 40)
        await work.fold()
        site.clock.quality = Quality.NONE
        await work.retain()
        assert len(await stored(site)) == 40


async def test_what_came_before_the_clock_was_set_is_as_old_as_what_follows(site: Site) -> None:
    async with site.opened() as telemetry:
        work, us = keeping(site, telemetry), site.clock.at_us
        site.clock.at_us, site.clock.quality = 1000 * SECOND, Quality.NONE
        await days(site, telemetry, 3)
        site.clock.at_us, site.clock.quality = us, Quality.NTP
        await days(site, telemetry, 10)
        await work.fold()
        await work.retain()
        assert len(await stored(site)) == 13
        site.clock.advance(25 * DAY_S)
        await work.retain()
        assert [row[2] for row in await stored(site)] == list(range(4, 10))


async def test_what_is_not_folded_stays(site: Site) -> None:
    async with site.opened() as telemetry:
        work = keeping(site, telemetry)
        await days(site, telemetry, 40)
        await work.retain()
        assert len(await stored(site)) == 40


async def test_past_its_budget_the_file_loses_its_oldest_and_the_ledger_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_store, "SLICE_ROWS", 100)
    monkeypatch.setattr("edge.telemetry.folding.retention.SLICE_ROWS", 100)
    async with site.opened() as telemetry:
        work = keeping(site, telemetry, readings_mb=1)
        for start in range(0, 20_000, 60):
            values: dict[str, Any] = {f"k{number}": f"{start:0250d}" for number in range(10)}
            await telemetry.ingest(site.device, values)
        await fold_all(work, telemetry)
        before = await gaps(site)
        while True:
            await work.retain()
            if work.size_bytes <= 1024 * 1024:
                break
        assert before == []
        told = await gaps(site)
        assert {gap["stream"] for gap in told} == {"readings"}
        ((first, last),) = await site.store.readings.read(retention_store.SPAN)
        assert told[0]["first"] == 1
        assert told[-1]["last"] == first - 1
        assert work.dropped == first - 1
        assert last == 20_000 // 60 * 10 + 10


async def test_what_is_not_at_the_centre_stays_past_its_age(site: Site) -> None:
    async with site.opened() as telemetry:
        work = keeping(site, telemetry)
        work.keep_unsent_with(lambda: 4)
        await days(site, telemetry, 40)
        await work.fold()
        await work.retain()
        assert [row[2] for row in await stored(site)] == list(range(3, 40))


async def test_past_the_budget_what_is_not_at_the_centre_is_thinned_before_it_is_dropped(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_store, "SLICE_ROWS", 100)
    async with site.opened() as telemetry:
        work = keeping(site, telemetry, readings_mb=1)
        work.keep_unsent_with(lambda: 1)
        for start in range(400):
            await telemetry.ingest(site.device, {f"k{number}": f"{start:0250d}" for number in range(10)})
        await fold_all(work, telemetry)
        for _ in range(20):
            await work.retain()
            if work.size_bytes <= 1024 * 1024:
                break
        assert work.size_bytes <= 1024 * 1024
        told = await gaps(site)
        assert told[0]["kept_every"] == 4
        assert sum(gap["unsent"] for gap in told) == work.dropped == 4000 - len(await stored(site))
        left = {row[1] for row in await stored(site)}
        assert len(left) == 10, "every series has something left"


async def test_the_ledger_says_so_before_it_is_done(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site.opened() as telemetry:
        work = keeping(site, telemetry, readings_mb=0)
        for number in range(20):
            await telemetry.ingest(site.device, {"a": number})
        await work.fold()

        async def cut(*_: object) -> int:
            raise ConnectionError("the power went")

        monkeypatch.setattr(work, "_drop_upto", cut)
        with pytest.raises(ConnectionError):
            await work.retain()
        assert [(gap["first"], gap["last"]) for gap in await gaps(site)] == [(1, 19)]
        assert len(await stored(site)) == 20


async def test_folding_waits_for_many_or_for_a_minute(site: Site) -> None:
    async with site.opened() as telemetry:
        work = keeping(site, telemetry)
        await telemetry.ingest(site.device, {"a": 1})
        await work.fold_due()
        assert telemetry.unfolded == 1
        site.clock.advance(FOLD_AFTER_S)
        await work.fold_due()
        assert telemetry.unfolded == 0
        for start in range(0, FOLD_ROWS, 50):
            await telemetry.ingest(site.device, {f"k{number}": start for number in range(50)})
        await work.fold_due()
        assert telemetry.unfolded == -FOLD_ROWS % 50


async def test_a_fold_that_fails_is_done_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site.opened() as telemetry:
        work, whole = keeping(site, telemetry), Database.write
        await telemetry.ingest(site.device, {"a": 1})

        async def failing(*_: object) -> None:
            raise StorageError("The commit failed: disk I/O error.")

        monkeypatch.setattr(Database, "write", failing)
        with pytest.raises(StorageError):
            await work.fold()
        monkeypatch.setattr(Database, "write", whole)
        assert telemetry.unfolded == 1
        await work.fold()
        ((saved,),) = await site.store.readings.read("SELECT COUNT(*) FROM latest")
        assert (telemetry.unfolded, saved) == (0, 1)


async def fold_all(work: Folding, telemetry: Telemetry) -> None:
    """Fold until nothing is left."""
    while telemetry.unfolded:
        await work.fold()


async def gaps(site: Site) -> list[dict[str, Any]]:
    """What the ledger says is missing."""
    return [msgspec.json.decode(fact.body) for fact in await facts(site.store.hub, 0, 500) if fact.kind == "gap"]
