"""A data directory: two files, an owner, an epoch; what is damaged is found, what is replaceable is replaced."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from edge.errors import Busy, StorageDamaged
from edge.store.database import Store
from edge.store.ledger import facts
from edge.store.transaction import Transaction
from tests.unit.store.conftest import store_at


async def test_each_file_has_an_epoch_of_its_own_that_stays(tmp_path: Path) -> None:
    seen = set()
    for _ in range(2):
        store = store_at(tmp_path)
        await store.open()
        seen.add((store.hub.epoch, store.readings.epoch))
        await store.close()
    [(hub, readings)] = seen
    assert hub != readings


async def test_every_commit_is_a_full_one_and_erased_means_overwritten(store: Store) -> None:
    connection = store.hub.writer._connection
    assert connection is not None
    pragmas = {name: await connection.run(lambda raw, name=name: raw.execute(f"PRAGMA {name}").fetchone()[0])
               for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")}  # fmt: skip
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}


async def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await store.hub.read("DELETE FROM meta")


async def test_one_process_owns_it_and_is_named(store: Store) -> None:
    with pytest.raises(Busy, match=f"pid {os.getpid()}") as busy:
        await store_at(store.directory).open()
    assert "--data-dir" in busy.value.advice


async def test_it_is_free_again_after_a_start_that_failed(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"no database at all" * 500)
    for _ in range(2):
        with pytest.raises(StorageDamaged, match=r"hub\.db is damaged") as damage:
            await store_at(tmp_path).open()
        assert "outpost restore FILE" in damage.value.advice
    (tmp_path / "hub.db").unlink()
    store = store_at(tmp_path)
    await store.open()
    await store.close()


async def test_damaged_readings_are_set_aside_and_the_gap_is_told(tmp_path: Path) -> None:
    (tmp_path / "readings.db").write_bytes(b"no database at all" * 500)
    store = store_at(tmp_path)
    await store.open()
    try:
        [gap] = await facts(store.hub, 0, 10)
        [aside] = tmp_path.glob("readings.damaged-*.db")
        assert (gap.kind, gap.subject) == ("gap", "readings")
        assert aside.name in gap.body
        assert aside.read_bytes() == b"no database at all" * 500
        assert await store.readings.read("SELECT * FROM device_log") == []
    finally:
        await store.close()


async def test_damage_found_while_serving_is_set_aside_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_at(tmp_path)
    await store.open()
    await store.readings.write(_many_rows)
    await store.close()
    damaged = bytearray((tmp_path / "readings.db").read_bytes())
    damaged[-8192:] = bytes(8192)
    (tmp_path / "readings.db").write_bytes(damaged)
    monkeypatch.setattr("edge.store.database.CHECK_FIRST_BYTES", 4096)
    store = store_at(tmp_path)
    await store.open()  # served meanwhile
    try:
        with pytest.raises(StorageDamaged, match=r"readings\.db is damaged"):
            await store.check_readings()
    finally:
        await store.close()
    store = store_at(tmp_path)
    await store.open()
    try:
        [aside] = tmp_path.glob("readings.damaged-*.db")
        [gap] = [fact for fact in await facts(store.hub, 0, 10) if fact.kind == "gap"]
        assert aside.name in gap.body
        await store.check_readings()  # the new one is whole
    finally:
        await store.close()
    store = store_at(tmp_path)
    await store.open()
    await store.close()
    assert len(list(tmp_path.glob("readings.damaged-*.db"))) == 1


def _many_rows(tx: Transaction) -> None:
    for number in range(400):
        tx.execute("INSERT INTO meta(key, value) VALUES (?, ?)", (f"row {number}", "x" * 200))


async def test_readings_that_cannot_be_opened_for_now_are_not_thrown_away(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    await store.open()
    await store.close()
    holder = sqlite3.connect(tmp_path / "readings.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(Exception, match="locked"):
            await store_at(tmp_path).open()
    finally:
        holder.close()
    assert not list(tmp_path.glob("*.damaged-*"))
