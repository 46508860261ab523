"""Group commit: one transaction for all that waits, and each caller hears of his own work only."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from edge.bus import Event
from edge.errors import NotFound, StorageError
from edge.store.database import Store
from edge.store.ledger import facts, verify
from edge.store.transaction import Transaction
from tests.unit.store.conftest import store_at

PUT = "INSERT INTO meta(key, value) VALUES (?, 'x')"


class Told(Event, frozen=True, kw_only=True):
    """Something told after a commit."""

    what: str


def put(key: str, tx: Transaction) -> str:
    tx.execute(PUT, (key,))
    tx.fact("put", key)
    tx.tell(Told(what=key))
    return key


async def keys(store: Store) -> list[str]:
    rows = await store.hub.read("SELECT key FROM meta WHERE key NOT IN ('epoch', 'instance') ORDER BY key")
    return [row[0] for row in rows]


async def test_what_waits_together_is_committed_together(store: Store) -> None:
    before = store.hub.writer.commits
    names = [f"k{n:03}" for n in range(300)]
    answers = await asyncio.gather(*(store.hub.write(lambda tx, name=name: put(name, tx)) for name in names))
    assert answers == names == await keys(store)
    assert store.hub.writer.commits - before <= 2
    assert [fact.subject for fact in await facts(store.hub, 0, 500)] == names


@pytest.mark.parametrize("changes_first", [False, True])
async def test_a_failing_item_fails_alone(store: Store, changes_first: bool) -> None:
    told = store.hub.writer._bus.subscribe()

    def fails(tx: Transaction) -> None:
        if changes_first:
            put("half", tx)
        raise NotFound("no such thing")

    answers = await asyncio.gather(
        store.hub.write(lambda tx: put("a", tx)),
        store.hub.write(fails),
        store.hub.write(lambda tx: tx.execute(PUT, ("a",))),  # against the primary key
        store.hub.write(lambda tx: put("b", tx)),
        return_exceptions=True,
    )
    assert answers[0] == "a"
    assert isinstance(answers[1], NotFound)
    assert isinstance(answers[2], sqlite3.IntegrityError)
    assert answers[3] == "b"
    assert await keys(store) == ["a", "b"]
    assert [fact.subject for fact in await facts(store.hub, 0, 10)] == ["a", "b"]
    assert [await told.get(), await told.get()] == [Told(what="a"), Told(what="b")]
    assert await verify(store.hub) == 2


async def test_work_may_run_twice_and_counts_once(store: Store) -> None:
    ran: list[str] = []

    def noted(tx: Transaction) -> None:
        ran.append("once")
        put("a", tx)

    def fails_half_way(tx: Transaction) -> None:
        put("b", tx)
        raise NotFound("gone")

    await asyncio.gather(store.hub.write(noted), store.hub.write(fails_half_way), return_exceptions=True)
    assert len(ran) == 2
    assert await keys(store) == ["a"]


async def test_a_caller_that_gave_up_harms_nobody(store: Store) -> None:
    given_up = asyncio.create_task(store.hub.write(lambda tx: put("a", tx)))
    await asyncio.sleep(0)
    given_up.cancel()
    await store.hub.write(lambda tx: put("b", tx))
    assert "b" in await keys(store)
    assert await verify(store.hub) == len(await keys(store))


async def test_stopping_commits_what_waits(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    await store.open()
    waiting = [asyncio.create_task(store.hub.write(lambda tx, n=n: put(f"k{n}", tx))) for n in range(5)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*waiting) == [f"k{n}" for n in range(5)]
    with pytest.raises(StorageError, match="closed"):
        await store.hub.write(lambda tx: None)


async def test_after_an_error_of_the_disk_it_opens_anew(store: Store) -> None:
    broken = store.hub.writer._connection
    assert broken is not None
    await broken.run(lambda raw: raw.set_authorizer(lambda *_: sqlite3.SQLITE_OK))
    await broken.run(lambda raw: raw.execute("PRAGMA query_only = ON"))  # every write fails, as on a bad disk
    with pytest.raises(StorageError, match="The commit failed"):
        await store.hub.write(lambda tx: put("lost", tx))
    assert await store.hub.write(lambda tx: put("kept", tx)) == "kept"
    assert store.hub.writer._connection is not broken
    assert await keys(store) == ["kept"]
    assert await verify(store.hub) == 1
