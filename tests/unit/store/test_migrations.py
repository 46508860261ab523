"""Numbered migrations: all of one or none; hubs of earlier schemas, kept in tests/databases, go on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge.errors import StorageError
from edge.store import migrations
from edge.store.ledger import verify
from edge.store.migrations import migrate
from tests.unit.store.conftest import store_at

DATABASES = Path(__file__).parents[2] / "databases"


def schema(path: Path) -> list[str]:
    raw = sqlite3.connect(path)
    try:
        return [row[0] for row in raw.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")]
    finally:
        raw.close()


@pytest.mark.parametrize("name", ["hub", "readings"])
def test_a_new_file_and_one_opened_twice_are_the_same(name: str, tmp_path: Path) -> None:
    version = migrate(tmp_path / "a.db", name)
    once = schema(tmp_path / "a.db")
    assert migrate(tmp_path / "a.db", name) == version
    assert schema(tmp_path / "a.db") == once != []


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    version = migrate(path, "hub")
    raw = sqlite3.connect(path)
    raw.execute(f"PRAGMA user_version = {version + 1}")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="newer Outpost") as refusal:
        migrate(path, "hub")
    assert "newer version" in refusal.value.advice
    assert path.read_bytes() == before


def test_one_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = [*migrations._scripts("hub"), "CREATE TABLE half (a);\nINSERT INTO nowhere VALUES (1);\n"]
    path = tmp_path / "hub.db"
    version = migrate(path, "hub")
    before = schema(path)
    monkeypatch.setattr(migrations, "_scripts", lambda database: scripts)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(path, "hub")
    assert schema(path) == before
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA user_version").fetchone() == (version,)
    raw.close()


@pytest.mark.parametrize("kept", sorted(DATABASES.glob("hub-*.sql")), ids=lambda path: path.stem)
async def test_a_hub_of_an_earlier_schema_goes_on(kept: Path, tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "hub.db")
    raw.executescript(kept.read_text())
    raw.close()
    for _ in range(2):
        store = store_at(tmp_path)
        await store.open()
        try:
            assert await verify(store.hub) >= 3
            assert await store.hub.read("SELECT name FROM devices") != []
            await store.hub.write(lambda tx: tx.fact("upgraded", "hub"))
        finally:
            await store.close()
