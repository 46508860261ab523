"""However much one hub sends at once, the others wait for a small part of it: on SQLite one transaction writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from cloud.db.models import CommandRow
from cloud.db.reading_models import ClockFix, Series
from cloud.fleet import clock_facts
from cloud.sync import facts_store, ledger_ingest, readings_ingest, series_store
from edge.wire.ledger import GENESIS, chain
from edge.wire.sync import pack
from tests.fakes.sync_hub import NOW_US, SyncHub
from tests.integration.centre.hubs import chain_of, enrolled, facts_of, held, readings_of
from tests.running_centre import RunningCentre

SECOND_US = 1_000_000


async def greeted(centre: RunningCentre) -> SyncHub:
    """A hub in a session."""
    hub = await enrolled(centre)
    assert (await hub.hello()).status == 200
    return hub


def by_an_unset_clock(hub: SyncHub) -> None:
    """All its facts have times that are labels, and stand in one boot."""
    rows, hub.facts = hub.facts, []
    for row in rows:
        values: Any = (*row[:4], "none", *row[5:8])
        hub.facts.append((*values, chain(hub.facts[-1][8] if hub.facts else GENESIS, values)))


def fixed(hub: SyncHub, began_us: int, boot: str = "boot-1") -> None:
    """It says when a boot began."""
    hub.fact("clock.fixed", boot, boot=boot, began_us=began_us, offset_us=0)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Facts of each transaction, as they are stored."""
    counts: list[int] = []
    store = facts_store.store

    async def counted(
        connection: Any, database: Any, site: Any, epoch_no: int, rows: Any, received_us: int
    ) -> None:
        counts.append(len(rows))
        await store(connection, database, site, epoch_no, rows, received_us)

    monkeypatch.setattr(facts_store, "store", counted)
    return counts


@pytest.fixture
def dated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Facts whose commands and vends were put right together, each time."""
    counts: list[int] = []
    put_right = clock_facts._put_right

    async def counted(connection: Any, site: Any, told: Sequence[Any], *rest: Any) -> None:
        counts.append(len(told))
        await put_right(connection, site, told, *rest)

    monkeypatch.setattr(clock_facts, "_put_right", counted)
    return counts


async def created(centre: RunningCentre) -> list[int]:
    """When the commands at the centre were made, in the order of their ids."""
    async with centre.centre.db.read() as connection:
        rows = await connection.execute(select(CommandRow.created_us).order_by(CommandRow.id))
        return list(rows.scalars())


async def test_a_batch_of_an_older_hub_is_taken_in_steps(
    centre: RunningCentre, steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_ingest, "LEDGER_ROWS", 20)
    monkeypatch.setattr(ledger_ingest, "FIXES", 5)
    hub = await greeted(centre)
    for number in range(30):
        hub.fact(name=str(number))
    for number in range(12):
        fixed(hub, NOW_US + number, f"boot {number}")
    hub.fact(name="last")
    assert (await hub.send_facts(1, 15)).body["next"] == 16
    assert (await hub.send_facts(5, 43)).body["next"] == 44
    assert (await hub.send_facts(1, 43)).body["next"] == 44
    assert steps == [15, 9, 11, 5, 3]
    assert await facts_of(centre, hub) == hub.facts
    assert (await chain_of(centre, hub))["whole"]
    async with centre.centre.db.read() as connection:
        known = await connection.execute(select(ClockFix.boot_id, ClockFix.began_us))
        assert {boot: began_us - NOW_US for boot, began_us in known} == {f"boot {n}": n for n in range(12)}


async def test_of_many_facts_about_a_boot_in_one_batch_the_last_counts_once(
    centre: RunningCentre, dated: list[int]
) -> None:
    hub = await greeted(centre)
    for number in range(40):
        hub.fact("command.queued", f"c-{number:02}", device="d", kind="reboot", ttl_ms=1000)
    by_an_unset_clock(hub)
    for number in range(40):
        fixed(hub, 5 * SECOND_US + number)
    assert (await hub.send_facts(1, 80)).status == 200
    assert dated == [40]
    assert await created(centre) == [5 * SECOND_US + 39 + row[6] * 1000 for row in hub.facts[:40]]
    async with centre.centre.db.read() as connection:
        assert [tuple(row) for row in await connection.execute(select(ClockFix.began_us, ClockFix.seq))] == [
            (5 * SECOND_US + 39, 80)
        ]


async def test_times_of_a_long_boot_are_put_right_in_steps_and_not_again(
    centre: RunningCentre, dated: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_facts, "FACTS", 10)
    hub = await greeted(centre)
    for number in range(35):
        hub.fact("command.queued", f"c-{number:02}", device="d", kind="reboot", ttl_ms=1000)
    by_an_unset_clock(hub)
    assert (await hub.send_facts(1, 30)).status == 200
    fixed(hub, 5 * SECOND_US)
    assert (await hub.send_facts(31, 36)).status == 200
    assert dated == [10, 10, 10, 5]
    assert await created(centre) == [5 * SECOND_US + row[6] * 1000 for row in hub.facts[:35]]
    fixed(hub, 5 * SECOND_US)
    assert (await hub.send_facts(37, 37)).status == 200
    assert dated == [10, 10, 10, 5]
    fixed(hub, 7 * SECOND_US)  # a hub that was restored within the boot says it otherwise
    assert (await hub.send_facts(38, 38)).status == 200
    assert await created(centre) == [7 * SECOND_US + row[6] * 1000 for row in hub.facts[:35]]


async def test_many_new_series_are_noted_in_steps(centre: RunningCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings_ingest, "SERIES_MAX", 10)
    told: list[int] = []
    add = series_store.add_series

    async def counted(connection: Any, site: Any, epoch_no: int, series: Any) -> None:
        told.append(len(series))
        await add(connection, site, epoch_no, series)

    monkeypatch.setattr(series_store, "add_series", counted)
    hub = await greeted(centre)
    for number in range(35):
        hub.reading(number, device=f"dev-{number}")
    assert (await hub.send_readings(1, 35)).body["next"] == 36
    assert told == [10, 10, 5, 10]
    assert await readings_of(centre, hub) == held(hub)


async def test_a_site_has_so_many_series_and_what_it_has_goes_on(
    centre: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_store, "SERIES_KEPT", 3)
    hub = await greeted(centre)
    for number in range(4):
        hub.reading(number, device=f"dev-{number}")
    batch = hub.readings_batch(1, 3)
    known = msgspec.structs.replace(batch, series=batch.series[:3])
    assert (await hub.ask("readings", pack(known))).body["next"] == 4
    refused = await hub.send_readings(4, 4)
    assert (refused.status, refused.code) == (422, "row-rejected")
    assert "3 series" in refused.body["detail"]
    hub.reading(5, device="dev-0")
    hub.series.pop(("dev-3", "temperature"))
    without = hub.readings_batch(4, 5)
    assert (
        await hub.ask("readings", pack(msgspec.structs.replace(without, numbers=without.numbers[1:])))
    ).status == 200
    async with centre.centre.db.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(Series))).scalar_one() == 3


async def test_the_names_that_are_remembered_are_bounded(
    centre: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings_ingest, "NAMES_KEPT", 5)
    hub = await greeted(centre)
    for number in range(12):
        hub.reading(number, device=f"dev-{number % 6}")
    for first, last in ((1, 3), (4, 6), (7, 12)):
        assert (await hub.send_readings(first, last)).status == 200
    assert await readings_of(centre, hub) == held(hub)
    ingest = centre.centre.sync._conversation._readings
    assert ingest._names_kept == sum(map(len, ingest._known.values())) <= 5
