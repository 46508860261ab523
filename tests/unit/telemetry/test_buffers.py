"""Batches out of a device's buffer: in whatever order and overlap they come, each record is stored once."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock, Quality
from edge.store.ledger import facts
from edge.telemetry.events import ReadingsArrived
from edge.wire.field import Readings
from tests.tools import share
from tests.unit.telemetry.conftest import Site
from tests.unit.telemetry.test_telemetry import heard, stored

SECOND = 1_000_000


def batch(first: int, count: int, **more: Any) -> Readings:
    """Records that say their own number, one a second."""
    given = {"epoch": "e1", "boot": 3, "uptime_ms": 1000 * (first + count), **more}
    records = [(3, 1000 * number, 0, {"n": number}) for number in range(first, first + count)]
    return Readings(first=first, records=records, **given)


async def gaps(site: Site) -> list[dict[str, Any]]:
    """What the ledger says is missing."""
    found = await facts(site.store.hub, 0, 500)
    return [msgspec.json.decode(fact.body) for fact in found if fact.kind == "gap"]


async def test_a_batch_that_comes_twice_is_stored_once(site: Site) -> None:
    async with site.opened() as telemetry:
        now = site.clock.now()
        assert await telemetry.next_seq("dev-1", "e1") == 0
        for _ in range(2):
            assert (await telemetry.ingest_batch(site.device, batch(0, 5), received=now)).next == 5
        assert (await telemetry.ingest_batch(site.device, batch(3, 5), received=now)).next == 8
        assert [row[2] for row in await stored(site)] == list(range(8))
    async with site.opened() as telemetry:
        assert await telemetry.next_seq("dev-1", "e1") == 8
        assert (await telemetry.ingest_batch(site.device, batch(0, 8), received=now)).next == 8
        assert [row[2] for row in await stored(site)] == list(range(8))
        assert await gaps(site) == []


async def test_the_same_batch_over_two_connections_at_once(site: Site) -> None:
    async with site.opened() as telemetry:
        now = site.clock.now()
        taken = await asyncio.gather(
            *(telemetry.ingest_batch(site.device, batch(7, 5, dropped=7), received=now) for _ in range(4))
        )
        assert {one.next for one in taken} == {12}
        assert [row[2] for row in await stored(site)] == list(range(7, 12))
        assert len(await gaps(site)) == 1


async def test_what_is_missing_becomes_a_gap(site: Site) -> None:
    async with site.opened() as telemetry:
        now = site.clock.now()
        await telemetry.ingest_batch(site.device, batch(0, 5), received=now)
        await telemetry.ingest_batch(site.device, batch(9, 1, dropped=4), received=now)
        await telemetry.ingest_batch(site.device, batch(9, 1, dropped=4), received=now)
        assert await gaps(site) == [
            {
                "stream": "device",
                "why": "the device had no room for them",
                "epoch": "e1",
                "first": 5,
                "count": 4,
                "dropped": 4,
            }
        ]
        assert telemetry.missed == 4


async def test_a_gap_is_in_the_ledger_before_the_readings_behind_it_are_stored(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site.opened() as telemetry:
        now = site.clock.now()
        await telemetry.ingest_batch(site.device, batch(0, 1), received=now)

        async def cut(*_: object) -> None:
            raise ConnectionError("the power went")

        monkeypatch.setattr(site.store.readings, "write", cut)
        with pytest.raises(ConnectionError):
            await telemetry.ingest_batch(site.device, batch(2, 1), received=now)
        assert [gap["first"] for gap in await gaps(site)] == [1]
    async with site.opened() as telemetry:
        assert await telemetry.next_seq("dev-1", "e1") == 1
        assert (await telemetry.ingest_batch(site.device, batch(2, 1), received=now)).next == 3
        assert [row[2] for row in await stored(site)] == [0, 2]


async def test_an_erased_device_begins_a_new_count(site: Site) -> None:
    async with site.opened() as telemetry:
        now = site.clock.now()
        await telemetry.ingest_batch(site.device, batch(0, 5), received=now)
        assert (await telemetry.ingest_batch(site.device, batch(0, 3, epoch="e2"), received=now)).next == 3
        assert (await telemetry.ingest_batch(site.device, batch(0, 5), received=now)).next == 5, "a late repetition"
        assert len(await stored(site)) == 8
        for number in range(10):
            await telemetry.ingest_batch(site.device, batch(0, 1, epoch=f"f{number}"), received=now)
        ((count,),) = await site.store.readings.read("SELECT COUNT(*) FROM buffers")
        assert count == 4, "epochs are forgotten, the oldest first"


async def test_a_record_keeps_the_time_it_has(site: Site) -> None:
    async with site.opened() as telemetry:
        now, us = site.clock.now(), site.clock.at_us
        records = [
            (2, 500, us - 7200 * SECOND, {"a": 1}),  # another boot, its own time
            (2, 900, 0, {"b": 2}),  # another boot, no time
            (3, 40_000, 0, {"c": 3}),  # this boot, 20 s ago
            (3, 60_000, 0, {"d": 4}),  # now
            (3, 60_000, 2**60, {"e": 5}),  # beyond every calendar
            (2**70, 0, us, {"f": 6}),
        ]
        sent = Readings(epoch="e1", first=0, boot=3, uptime_ms=60_000, records=records)
        taken = await telemetry.ingest_batch(site.device, sent, received=now)
        assert (taken.next, len(taken.refused)) == (6, 2)
        assert [row[1:] for row in await stored(site)] == [
            ("a", 1, us - 7200 * SECOND, 2, 2, 500),
            ("b", 2, us, 0, 2, 900),
            ("c", 3, us - 20 * SECOND, 2, 3, 40_000),
            ("d", 4, us, 2, 3, 60_000),
        ]


async def test_the_past_is_told_in_one_event_and_the_present_as_it_is(site: Site) -> None:
    async with site.opened() as telemetry:
        us = site.clock.at_us
        await telemetry.ingest_batch(site.device, batch(0, 120), received=site.clock.now())
        told = await heard(site, 11)
        assert all(isinstance(event, ReadingsArrived) for event in told)
        assert told[-1] == ReadingsArrived(
            device_id="dev-1", at_us=us - 11 * SECOND, values={"n": 109}, historical=True
        )
        assert [event.values["n"] for event in told[:-1] if isinstance(event, ReadingsArrived)] == [
            *range(110, 120)
        ]
        assert telemetry.latest("dev-1")["n"].value == 119


async def test_bad_values_in_a_batch_are_refused_for_good(site: Site) -> None:
    async with site.opened() as telemetry:
        records = [(3, 0, 0, {"a": None}), (3, 1, 0, {"a": 1, "b": [1]}), (3, 2, 0, {})]
        sent = Readings(epoch="e1", first=10, boot=3, uptime_ms=5, records=records)
        taken = await telemetry.ingest_batch(site.device, sent, received=site.clock.now())
        assert taken.next == 13
        assert [reason.split(":")[0] for reason in taken.refused] == ["record 10", "record 11"]
        assert [row[2] for row in await stored(site)] == [1]


async def test_a_spoilt_record_is_refused_and_the_others_are_kept(site: Site) -> None:
    async with site.opened() as telemetry:
        spoilt: list[Any] = [
            (3, 0, 0, {"a": float("nan")}),
            7,
            [3, 1, 0],
            [3, -1, 0, {"a": 2}],
            [3, True, 0, {"a": 2}],
            [3, 1, 0, [1]],
        ]
        sent = Readings(epoch="e1", first=0, boot=3, uptime_ms=5, records=[*spoilt, (3, 2, 0, {"a": 1})])
        taken = await telemetry.ingest_batch(site.device, sent, received=site.clock.now())
        assert taken.next == 7
        assert [reason.split(":")[0] for reason in taken.refused] == [f"record {number}" for number in range(6)]
        assert [row[2] for row in await stored(site)] == [1]


async def test_memory_remembers_as_many_epochs_as_the_table(site: Site) -> None:
    async with site.opened() as telemetry:
        for number in range(10):
            await telemetry.ingest_batch(site.device, batch(0, 1, epoch=f"f{number}"), received=site.clock.now())
        known = [await telemetry.next_seq("dev-1", f"f{number}") for number in range(10)]
        assert known == [0] * 6 + [1] * 4
    async with site.opened() as telemetry:
        assert [await telemetry.next_seq("dev-1", f"f{number}") for number in range(10)] == known


async def test_records_of_a_flash_erased_long_ago_are_not_stored_twice(site: Site) -> None:
    async with site.opened() as telemetry:
        for number in range(6):
            site.device = msgspec.structs.replace(site.device, epoch=f"f{number}")
            await telemetry.ingest_batch(
                site.device, batch(number, 1, epoch=f"f{number}"), received=site.clock.now()
            )
        late = await telemetry.ingest_batch(site.device, batch(0, 1, epoch="f0"), received=site.clock.now())
        assert (late.next, len(late.refused)) == (1, 1)
        assert [row[2] for row in await stored(site)] == list(range(6))


deliveries = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8), st.booleans()), min_size=1, max_size=12)


@settings(max_examples=share(15, 500))
@given(deliveries)
def test_whatever_comes_each_record_is_stored_once(story: list[tuple[int, int, bool]]) -> None:
    """Batches that repeat, overlap, skip or come after a restart, against what their numbers say."""
    expected, stored_numbers = None, []
    with fresh_site() as site:

        async def deliver() -> list[Any]:
            nonlocal expected
            await site.again()
            for first, count, restart in story:
                if restart:
                    await site.again()
                taken = await site.telemetry.ingest_batch(
                    site.site.device, batch(first, count), received=site.site.clock.now()
                )
                for number in range(first, first + count):
                    if expected is None or number >= expected:
                        stored_numbers.append(number)
                expected = first + count if expected is None else max(expected, first + count)
                assert taken.next == expected
            rows = await stored(site.site)
            await site.close()
            return rows

        assert [row[2] for row in asyncio.run(deliver())] == stored_numbers


class Restarting:
    """A site that is opened again and again."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._stack: contextlib.AsyncExitStack | None = None

    async def again(self) -> None:
        """Close and open."""
        await self.close()
        self._stack = contextlib.AsyncExitStack()
        self.telemetry = await self._stack.enter_async_context(self.site.opened())

    async def close(self) -> None:
        """Close what is open."""
        if self._stack is not None:
            await self._stack.aclose()
            self._stack = None


@contextlib.contextmanager
def fresh_site() -> Iterator[Restarting]:
    """A site of its own for each example."""
    with tempfile.TemporaryDirectory() as folder:
        yield Restarting(Site(Path(folder), ManualClock(quality=Quality.NTP)))
