"""Facts come in: in order, chained, each once; what cannot be kept is said, and nothing of it is stored."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, select, update

from cloud.db.models import FactRow
from edge.wire.sync import pack
from tests.fakes.sync_hub import SyncHub
from tests.integration.centre.hubs import chain_of, enrolled, facts_of, site_of, stream_of
from tests.running_centre import RunningCentre

pytestmark = pytest.mark.both_engines


async def with_facts(centre: RunningCentre, count: int) -> SyncHub:
    """A hub in a session, with so many facts to send."""
    hub = await enrolled(centre)
    for number in range(count):
        hub.fact(name=str(number))
    assert (await hub.hello()).status == 200
    return hub


async def test_facts_arrive_in_order_and_each_once(centre: RunningCentre) -> None:
    hub = await with_facts(centre, 10)
    for first, last, following in ((1, 4, 5), (1, 4, 5), (3, 10, 11), (2, 9, 11), (1, 10, 11)):
        assert (await hub.send_facts(first, last)).body["next"] == following
    assert await facts_of(centre, hub) == hub.facts
    assert await chain_of(centre, hub) == {"facts": 10, "epochs": 1, "whole": True, "problem": ""}


async def test_a_hole_is_told(centre: RunningCentre) -> None:
    hub = await with_facts(centre, 5)
    answer = await hub.send_facts(3, 5)
    assert (answer.status, answer.code) == (409, "expects")
    assert await facts_of(centre, hub) == []


async def test_another_epoch_is_told(centre: RunningCentre) -> None:
    hub = await with_facts(centre, 2)
    hub.epochs["ledger"] = "another"
    assert (await hub.send_facts(1, 2)).code == "expects"


@pytest.mark.parametrize("known", [0, 2])
async def test_rows_that_do_not_follow_are_forked(centre: RunningCentre, known: int) -> None:
    hub = await with_facts(centre, 4)
    if known:
        await hub.send_facts(1, known)
    other = hub.copied()
    other.facts = []
    for number in range(4):
        other.fact(name=f"other {number}")
    assert (await other.send_facts(1, 4)).status == (409 if known else 200)
    changed = hub.ledger_batch(known + 1, 4)
    changed.rows[1] = (*changed.rows[1][:7], "{}", changed.rows[1][8])
    answer = await hub.ask("ledger", pack(changed))
    assert (answer.status, answer.code) == (409, "forked")


async def test_wholly_known_numbers_with_other_rows_are_forked(centre: RunningCentre) -> None:
    hub = await with_facts(centre, 5)
    await hub.send_facts(1, 5)
    other = hub.copied()
    other.facts = other.facts[:2]
    other.fact(name="another third")
    assert (await other.send_facts(3, 3)).code == "forked"


@pytest.mark.parametrize(
    "poison",
    [
        {"subject": "a\0b"},
        {"body": '{"name": "\0"}'},
        {"mono_ms": 2**63},
        {"at_us": 2**62},
        {"body": "x" * 300_000},
        {"kind": 7},
    ],
)
async def test_a_poisoned_row_is_told_apart_and_skipped(centre: RunningCentre, poison: dict[str, Any]) -> None:
    hub = await with_facts(centre, 3)
    rewritten = hub.copied()
    rewritten.poison(2, **poison)
    answer = await rewritten.send_facts(1, 3)
    assert (answer.status, answer.code) == (422, "row-rejected")
    assert await facts_of(centre, hub) == []
    batch = rewritten.ledger_batch(1, 3)
    skipped = msgspec.structs.replace(batch, rows=[batch.rows[0], batch.rows[2]], skipped=[(2, batch.rows[1][8])])
    assert (await rewritten.ask("ledger", pack(skipped))).body["next"] == 4
    assert [row[0] for row in await facts_of(centre, hub)] == [1, 2, 3]
    assert (await chain_of(centre, hub))["whole"]


async def test_the_walk_finds_a_changed_a_lost_and_a_missing_last_fact(centre: RunningCentre) -> None:
    hub = await with_facts(centre, 6)
    await hub.send_facts(1, 6)
    async with centre.centre.db.write() as connection:
        await connection.execute(delete(FactRow).where(FactRow.seq == 6))
    assert "Fact 6" in (await chain_of(centre, hub))["problem"]
    async with centre.centre.db.write() as connection:
        await connection.execute(delete(FactRow).where(FactRow.seq == 4))
    assert "Fact 5" in (await chain_of(centre, hub))["problem"]
    async with centre.centre.db.write() as connection:
        await connection.execute(update(FactRow).where(FactRow.seq == 2).values(body='{"name": "forged"}'))
    told = await chain_of(centre, hub)
    assert not told["whole"]
    assert "Fact 2" in told["problem"]


async def test_facts_know_their_device_and_their_place_in_the_order_of_arrival(centre: RunningCentre) -> None:
    hub = await with_facts(centre, 0)
    hub.fact("device.added", "dev-1")
    hub.fact("command.queued", "c-1", device="dev-2")
    hub.fact("key.created", "k-1")
    assert (await hub.send_facts(1, 3)).status == 200
    site = await site_of(centre, hub)
    query = select(FactRow.device, FactRow.arrival).where(FactRow.site_id == site.id).order_by(FactRow.seq)
    async with centre.centre.db.read() as connection:
        rows = (await connection.execute(query)).all()
    assert [row.device for row in rows] == ["dev-1", "dev-2", ""]
    assert sorted({row.arrival for row in rows}) == [row.arrival for row in rows]


async def test_a_stream_is_complete_up_to_its_last_fact_and_then_up_to_the_report(centre: RunningCentre) -> None:
    hub = await with_facts(centre, 3)
    hub.at_us = centre.centre.clock.now().at_us - 60_000_000
    hub.facts.clear()
    for number in range(3):
        hub.fact(name=str(number))
    await hub.send_facts(1, 2)
    assert (await stream_of(centre, hub, "ledger")).complete_us == hub.facts[1][3]
    await hub.send_states()
    assert (await stream_of(centre, hub, "ledger")).complete_us == hub.facts[1][3]
    await hub.send_facts(3, 3)
    await hub.send_states(at_us=hub.at_us + 5_000_000)
    assert (await stream_of(centre, hub, "ledger")).complete_us == hub.at_us + 5_000_000
