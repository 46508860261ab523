"""The tables: made from nothing, from a start that broke off, never a newer version's; as the models say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from cloud.db import schema
from cloud.db.database import Database
from cloud.db.models import Base
from edge.errors import ConfigError, StorageDamaged
from tests.running_centre import database_of

pytestmark = pytest.mark.both_engines


@pytest.fixture
async def db(engine: str, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database."""
    async with database_of(engine, made=False) as url:
        opened = Database(url or f"sqlite:///{tmp_path / 'cloud.db'}")
        yield opened
        await opened.close()


async def test_the_steps_make_what_the_models_say(db: Database) -> None:
    """When this fails, the models were changed without a step: docs/contributing.md says how one is made."""
    await db.prepare()
    async with db.write() as connection:
        assert await connection.run_sync(_differences) == []


async def test_a_second_start_changes_nothing(db: Database) -> None:
    await db.prepare()
    async with db.read() as connection:
        before = await connection.run_sync(_tables)
    await db.prepare()
    async with db.read() as connection:
        assert await connection.run_sync(_tables) == before


async def test_several_may_start_at_once(db: Database) -> None:
    others = [Database(db.url.render_as_string(hide_password=False)) for _ in range(3)]
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(each.prepare() for each in (db, *others)))
    finally:
        for each in others:
            await each.close()
    async with db.read() as connection:
        assert "facts" in await connection.run_sync(_tables)


async def test_what_broke_off_in_the_middle_is_made_anew(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    create = ops.CreateTableOp.create_table.__func__  # type: ignore[attr-defined]

    def breaks_off(cls: type, operations: Any, name: str, *more: Any, **named: Any) -> Any:
        if len(made) == 5:
            raise RuntimeError("the power went")
        made.append(name)
        return create(cls, operations, name, *more, **named)

    with monkeypatch.context() as broken:
        broken.setattr(ops.CreateTableOp, "create_table", classmethod(breaks_off))
        with pytest.raises(RuntimeError):
            await db.prepare()
    async with db.read() as connection:
        assert await connection.run_sync(_tables) == set()
    await db.prepare()
    async with db.write() as connection:
        assert await connection.run_sync(_differences) == []


async def test_a_newer_versions_database_is_left_alone(db: Database) -> None:
    await db.prepare()
    async with db.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer version"):
        await db.prepare()


async def test_somebody_elses_tables_are_left_alone(db: Database) -> None:
    async with db.write() as connection:
        await connection.execute(text("CREATE TABLE readings (x INTEGER)"))
    with pytest.raises(ConfigError, match="did not make"):
        await db.prepare()


async def test_keys_are_led_by_tenant_and_site(db: Database) -> None:
    await db.prepare()
    async with db.read() as connection:
        keys = await connection.run_sync(_primary_keys)
    by_site = {name: columns for name, columns in keys.items() if {"tenant_id", "site_id"} <= set(columns)}
    assert {"facts", "readings", "states", "commands", "inbox"} <= by_site.keys()
    assert {name for name, columns in by_site.items() if columns[:2] != ["tenant_id", "site_id"]} == set()


async def test_a_damaged_file_is_told_with_the_way_back(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    db = Database(f"sqlite:///{path}")
    await db.prepare()
    await db.close()
    raw = bytearray(path.read_bytes())
    raw[4096:12288] = bytes(8192)
    path.write_bytes(raw)
    with pytest.raises(StorageDamaged) as damage:
        await db.check()
    assert "outpost restore" in damage.value.advice
    await db.close()


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"include_object": schema.ours})
    return list(compare_metadata(context, Base.metadata))


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _primary_keys(connection: Connection) -> dict[str, list[str]]:
    look = inspect(connection)
    return {name: look.get_pk_constraint(name)["constrained_columns"] for name in look.get_table_names()}
