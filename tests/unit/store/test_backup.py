"""A copy that can be trusted, and the way back from it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge.bus import Bus
from edge.clock import ManualClock
from edge.errors import BadInput, Busy, StorageDamaged
from edge.store.backup import back_up, restore
from edge.store.database import Store
from edge.store.ledger import facts, verify
from tests.unit.store.conftest import store_at


async def test_a_copy_of_a_running_hub_comes_back_with_a_new_epoch(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    store = store_at(data)
    await store.open()
    epoch, instance = store.hub.epoch, store.hub.instance
    await store.hub.write(lambda tx: tx.fact("told", "before"))
    back_up(data / "hub.db", copy)
    await store.hub.write(lambda tx: tx.fact("told", "after"))
    with pytest.raises(Busy):
        await restore(copy, data, Bus(), ManualClock())
    await store.close()
    aside = await restore(copy, data, Bus(), ManualClock())
    assert aside is not None
    assert aside.exists()
    store = store_at(data)
    await store.open()
    try:
        told = [(fact.kind, fact.subject) for fact in await facts(store.hub, 0, 10)]
        assert told == [("told", "before"), ("hub.restored", store.hub.epoch)]
        assert (store.hub.epoch != epoch, store.hub.instance) == (True, instance)
        assert await verify(store.hub) == 2
    finally:
        await store.close()
    raw = sqlite3.connect(aside)
    assert raw.execute("SELECT subject FROM ledger ORDER BY seq").fetchall() == [("before",), ("after",)]
    raw.close()


async def test_it_never_overwrites_a_file(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "there.db"
    target.write_text("mine")
    with pytest.raises(BadInput, match="exists already"):
        back_up(store.directory / "hub.db", target)
    assert target.read_text() == "mine"


async def test_nothing_comes_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no database"):
        back_up(tmp_path / "hub.db", tmp_path / "copy.db")
    with pytest.raises(BadInput, match="no backup"):
        await restore(tmp_path / "copy.db", tmp_path / "data", Bus(), ManualClock())
    assert list(tmp_path.iterdir()) == []


async def test_a_damaged_copy_is_refused_and_the_hub_kept(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    await store.open()
    await store.close()
    before = (tmp_path / "hub.db").read_bytes()
    (tmp_path / "copy.db").write_bytes(b"no database at all" * 500)
    with pytest.raises(StorageDamaged):
        await restore(tmp_path / "copy.db", tmp_path, Bus(), ManualClock())
    assert (tmp_path / "hub.db").read_bytes() == before
    assert not list(tmp_path.glob("hub.replaced*"))


async def test_over_a_damaged_hub_the_old_file_is_kept_as_it_was(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    store = store_at(data)
    await store.open()
    await store.close()
    back_up(data / "hub.db", copy)
    (data / "hub.db").write_bytes(b"no database at all" * 500)
    aside = await restore(copy, data, Bus(), ManualClock())
    assert aside is not None
    assert aside.read_bytes() == b"no database at all" * 500
    store = store_at(data)
    await store.open()
    await store.close()
