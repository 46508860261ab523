"""Keys: the first is readable before it counts, imported ones are confined, a revoked one is refused at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from edge.access.keys import ADMIN_KEY_FILE, Keys
from edge.bus import Bus
from edge.clock import ManualClock
from edge.errors import BadInput, Conflict, Forbidden, NotFound, StorageError, Unauthenticated
from edge.serving.roles import Role
from edge.store.database import Store
from edge.store.writer import T, Work

OLD = "compiled-in-2024"


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open store."""
    opened = Store(tmp_path, Bus(), ManualClock(), free_floor_mb=1, ballast_mb=0)
    await opened.open()
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def keys(store: Store) -> Keys:
    """Keys of a new data directory."""
    loaded = Keys(store.hub, ManualClock())
    await loaded.start(store.directory)
    return loaded


async def test_the_first_admin_key_is_its_owners_alone(keys: Keys, store: Store) -> None:
    file = store.directory / ADMIN_KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    secret = file.read_text().strip()
    assert keys.authenticate(secret).role is Role.ADMIN
    assert [path.name for path in store.directory.glob("admin*")] == [ADMIN_KEY_FILE]
    content = b"".join(path.read_bytes() for path in store.directory.glob("hub.db*"))
    assert secret.encode() not in content


async def test_the_first_key_is_written_before_it_is_stored(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write = store.hub.write

    async def failing(work: Work[T]) -> T:
        if not (store.directory / ADMIN_KEY_FILE).exists():
            return await write(work)
        raise StorageError("power went")

    with monkeypatch.context() as patched:
        patched.setattr(store.hub, "write", failing)
        with pytest.raises(StorageError):
            await Keys(store.hub, ManualClock()).start(store.directory)
    stale = (store.directory / ADMIN_KEY_FILE).read_text().strip()
    anew = Keys(store.hub, ManualClock())
    await anew.start(store.directory)
    readable = (store.directory / ADMIN_KEY_FILE).read_text().strip()
    assert readable != stale
    assert anew.authenticate(readable).role is Role.ADMIN
    with pytest.raises(Unauthenticated):
        anew.authenticate(stale)


async def test_a_second_start_makes_no_second_key(keys: Keys, store: Store) -> None:
    secret = (store.directory / ADMIN_KEY_FILE).read_text()
    again = Keys(store.hub, ManualClock())
    await again.start(store.directory)
    assert (store.directory / ADMIN_KEY_FILE).read_text() == secret
    assert len(again.listed()) == 1


async def test_when_all_are_revoked_none_is_made_anew(keys: Keys, store: Store) -> None:
    (first, _), *_ = keys.listed()
    await keys.revoke(first.id, actor="tess")
    again = Keys(store.hub, ManualClock())
    await again.start(store.directory)
    assert [key.revoked_us is not None for key, _ in again.listed()] == [True]


async def test_a_revoked_key_is_refused_at_once_and_after_a_restart(keys: Keys, store: Store) -> None:
    key, secret = await keys.create("app", Role.APP, actor="tess")
    assert keys.authenticate(secret).actor == "key:app"
    await keys.revoke(key.id, actor="tess")
    again = Keys(store.hub, ManualClock())
    await again.start(store.directory)
    for who in (keys, again):
        with pytest.raises(Unauthenticated):
            who.authenticate(secret)
    with pytest.raises(NotFound):
        await keys.revoke(key.id, actor="tess")


async def test_an_imported_key_is_weak_and_confined(keys: Keys) -> None:
    key = await keys.import_("browsers", Role.ADMIN, "nic", OLD, actor="tess")
    assert key.weak
    principal = keys.authenticate(OLD)
    assert principal.scope == "nic"
    with pytest.raises(Forbidden):
        principal.require(Role.VIEWER, app=True)
    await keys.revoke(key.id, actor="tess")
    with pytest.raises(Conflict):
        await keys.import_("again", Role.APP, "nic", OLD, actor="tess")


@pytest.mark.parametrize(("scope", "secret"), [("", OLD), ("other", OLD), ("nic", "short12"), ("nic", "")])
async def test_what_is_not_taken_over(keys: Keys, scope: str, secret: str) -> None:
    with pytest.raises(BadInput):
        await keys.import_("browsers", Role.APP, scope, secret, actor="tess")


@pytest.mark.parametrize("name", ["", " x", "x ", "a\nb", "x" * 65, "\x1b[31m"])
async def test_names_that_would_spoil_the_audit(keys: Keys, name: str) -> None:
    with pytest.raises(BadInput):
        await keys.create(name, Role.VIEWER, actor="tess")


async def test_a_name_is_one_keys_alone_also_after_it_was_revoked(keys: Keys) -> None:
    key, _ = await keys.create("app", Role.APP, actor="tess")
    with pytest.raises(Conflict):
        await keys.create("app", Role.VIEWER, actor="tess")
    await keys.revoke(key.id, actor="tess")
    with pytest.raises(Conflict):  # else what the old one asked for would be the new one's
        await keys.create("app", Role.VIEWER, actor="tess")


async def test_one_name_asked_for_twice_at_once_is_given_once(keys: Keys) -> None:
    made = await asyncio.gather(
        *(keys.create("app", Role.APP, actor="tess") for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(one, Conflict) for one in made) == 1


async def test_the_ledger_tells_who_made_and_revoked_but_no_secret(keys: Keys, store: Store) -> None:
    key, secret = await keys.create("app", Role.APP, actor="tess")
    await keys.revoke(key.id, actor="rob")
    rows = await store.hub.read("SELECT kind, body FROM ledger WHERE subject = ? ORDER BY seq", (key.id,))
    assert [row["kind"] for row in rows] == ["key.created", "key.revoked"]
    assert '"by":"tess"' in rows[0]["body"]
    assert '"by":"rob"' in rows[1]["body"]
    assert secret not in str([tuple(row) for row in rows])
