"""Rows that could not be taken are tried again: each finds its place, once, and counts as any other."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from cloud.db.models import CommandRow
from edge.wire.sync import LedgerBatch, pack
from tests.fakes.sync_hub import SyncHub
from tests.integration.centre.hubs import chain_of, enrolled, facts_of, held, readings_of
from tests.running_centre import RunningCentre

COMMAND = {"device": "dev-1", "kind": "reboot", "ttl_ms": 30_000, "actor": "ann", "state": "queued"}


def without(batch: LedgerBatch, seq: int) -> LedgerBatch:
    """The batch with this fact left out as one that is not taken."""
    rows = [row for row in batch.rows if row[0] != seq]
    (left_out,) = [row for row in batch.rows if row[0] == seq]
    return msgspec.structs.replace(batch, rows=rows, skipped=[(seq, left_out[8])])


async def with_letter(centre: RunningCentre) -> SyncHub:
    """A hub whose second fact of three, a command's, was left out."""
    hub = await enrolled(centre)
    hub.fact(name="a")
    hub.fact("command.queued", "cmd-1", **COMMAND)
    hub.fact(name="b")
    await hub.hello()
    answer = await hub.ask("ledger", pack(without(hub.ledger_batch(1, 3), 2)))
    assert answer.body["next"] == 4
    return hub


async def commands(centre: RunningCentre) -> list[str]:
    """The ids of all commands the centre knows."""
    async with centre.centre.db.read() as connection:
        return list((await connection.execute(select(CommandRow.id))).scalars())


async def test_a_fact_that_was_left_out_finds_its_place_once(centre: RunningCentre) -> None:
    hub = await with_letter(centre)
    assert await commands(centre) == []
    for _ in range(2):
        answer = await hub.ask("again/ledger", pack(hub.ledger_batch(2, 2)))
        assert (answer.status, answer.body["next"]) == (200, 4)
        assert await facts_of(centre, hub) == hub.facts
        assert await commands(centre) == ["cmd-1"]
    assert await chain_of(centre, hub) == {"facts": 3, "epochs": 1, "whole": True, "problem": ""}
    ledger = await centre.get(f"/v1/ledger?site={hub.site}")
    assert [fact["kind"] for fact in ledger.body["items"]].count("command.queued") == 1


async def test_only_the_very_fact_is_taken(centre: RunningCentre) -> None:
    hub = await with_letter(centre)
    other = hub.copied()
    other.poison(2, subject="cmd-2")
    assert (await other.ask("again/ledger", pack(other.ledger_batch(2, 2)))).code == "forked"
    hub.fact(name="c")
    assert (await hub.ask("again/ledger", pack(hub.ledger_batch(4, 4)))).code == "expects"
    assert (await hub.ask("again/ledger", pack(hub.ledger_batch(1, 2)))).code == "row-rejected"
    assert await commands(centre) == []


async def test_a_reading_that_was_left_out_is_stored_once(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    for value in (1.0, 2.0, "text", 4.0):
        hub.reading(value, key="said" if value == "text" else "t")
    await hub.hello()
    batch = hub.readings_batch(1, 4)
    sparse = msgspec.structs.replace(batch, numbers=[batch.numbers[0], batch.numbers[2]], texts=[])
    assert (await hub.ask("readings", pack(sparse))).body["next"] == 5
    for seq in (2, 3, 2, 1):
        answer = await hub.ask("again/readings", pack(hub.readings_batch(seq, seq)))
        assert (answer.status, answer.body["next"]) == (200, 5)
    assert await readings_of(centre, hub) == held(hub)


async def test_only_one_reading_that_was_passed_over_is_taken(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    for value in (1.0, 2.0, 3.0):
        hub.reading(value)
    await hub.hello()
    assert (await hub.ask("again/readings", pack(hub.readings_batch(2, 2)))).code == "expects"
    assert (await hub.ask("again/readings", pack(hub.readings_batch(1, 2)))).code == "row-rejected"
    assert await readings_of(centre, hub) == []
