"""The chain: whatever is changed, lost or moved in the ledger, the check names the place."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge.errors import OutpostError, StorageDamaged
from edge.store.database import Store
from edge.store.ledger import facts, head, verify
from edge.wire.ledger import GENESIS, follows
from tests.unit.store.conftest import store_at

FACTS = 12
TAMPERED = {
    "a body is changed": ("UPDATE ledger SET body = '{}' WHERE seq = 7", 7),
    "a subject is changed": ("UPDATE ledger SET subject = 'else' WHERE seq = 7", 7),
    "a time is changed": ("UPDATE ledger SET at_us = at_us + 1 WHERE seq = 7", 7),
    "a row is gone": ("DELETE FROM ledger WHERE seq = 7", 8),
    "the first row is gone": ("DELETE FROM ledger WHERE seq = 1", 2),
    "a row is renumbered": ("UPDATE ledger SET seq = 99 WHERE seq = 7", 8),
    "a hash is changed": ("UPDATE ledger SET hash = zeroblob(16) WHERE seq = 7", 7),
}


async def filled(folder: Path) -> None:
    store = store_at(folder)
    await store.open()
    for number in range(FACTS):
        await store.hub.write(lambda tx, number=number: tx.fact("told", f"thing-{number}", number=number))
    await store.close()


def tamper(folder: Path, sql: str) -> None:
    raw = sqlite3.connect(folder / "hub.db")
    raw.executescript(sql)
    raw.close()


async def test_a_whole_chain_is_counted_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    await filled(tmp_path)
    await filled(tmp_path)
    store = store_at(tmp_path)
    await store.open()
    try:
        assert await verify(store.hub) == await head(store.hub) == 2 * FACTS
        first, second = await facts(store.hub, 0, 2)
        assert follows(GENESIS, first)
        assert follows(first.hash, second)
    finally:
        await store.close()


@pytest.mark.parametrize("what", TAMPERED)
async def test_tampering_is_found_where_it_is(tmp_path: Path, what: str) -> None:
    sql, place = TAMPERED[what]
    await filled(tmp_path)
    tamper(tmp_path, sql)
    store = store_at(tmp_path)
    await store.open()
    try:
        with pytest.raises(StorageDamaged, match=f"at fact {place}:"):
            await verify(store.hub)
    finally:
        await store.close()


async def test_two_rows_that_changed_places_are_found(tmp_path: Path) -> None:
    await filled(tmp_path)
    tamper(
        tmp_path,
        "UPDATE ledger SET seq = 100 WHERE seq = 5; UPDATE ledger SET seq = 5 WHERE seq = 6;"
        " UPDATE ledger SET seq = 6 WHERE seq = 100",
    )
    store = store_at(tmp_path)
    await store.open()
    try:
        with pytest.raises(StorageDamaged, match="at fact 5:"):
            await verify(store.hub)
    finally:
        await store.close()


async def test_readings_keep_no_ledger(store: Store) -> None:
    with pytest.raises(OutpostError, match=r"belong to hub\.db"):
        await store.readings.write(lambda tx: tx.fact("told", "nowhere"))
