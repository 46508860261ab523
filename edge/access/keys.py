"""The keys of this hub: made, imported, looked up, revoked.

All keys are held in memory, by hash, so that a request costs one lookup; a revoked key is refused by the next
request.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge.access import store as sql
from edge.access.model import IMPORT_MIN_CHARS, OLD_SYSTEMS, Key, hash_secret, new_secret
from edge.clock import Clock
from edge.errors import BadInput, Conflict, NotFound, Unauthenticated
from edge.serving.roles import Principal, Role
from edge.settle import write_secret
from edge.store.database import Database

ADMIN_KEY_FILE = "admin.key"
NAME_CHARS = 64


class Keys:
    """All keys. `start` loads them and makes the first admin key on a new data directory."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock
        self._by_hash: dict[bytes, Key] = {}
        self._live: dict[bytes, tuple[str, Principal]] = {}  # of keys in use: all that a request needs
        self._last_used_s: dict[str, float] = {}
        self._adding = asyncio.Lock()  # one at a time, so that no name and no key is taken twice

    async def start(self, directory: Path) -> None:
        """Load all keys; write `<directory>/admin.key` (0600) when there has never been one."""
        await self._load()
        if not self._by_hash:
            key_id, secret = new_secret()
            write_secret(directory / ADMIN_KEY_FILE, secret)  # first: a key nobody can read locks everybody out
            await self._insert(key_id, "first-admin", Role.ADMIN, "", secret, weak=False, actor="setup")

    async def create(self, name: str, role: Role, *, actor: str) -> tuple[Key, str]:
        """A new random key; its secret is returned this once."""
        key_id, secret = new_secret()
        return await self._insert(key_id, name, role, "", secret, weak=False, actor=actor), secret

    async def import_(self, name: str, role: Role, scope: str, secret: str, *, actor: str) -> Key:
        """Take over a key that older clients have compiled in: flagged weak, confined to `scope`.

        Raises BadInput for an unknown scope or a key too short, Conflict when it is already known.
        """
        if scope not in OLD_SYSTEMS:
            known = ", ".join(sorted(OLD_SYSTEMS))
            raise BadInput(f"An imported key needs the older system it belongs to; known: {known}.")
        if len(secret) < IMPORT_MIN_CHARS:
            raise BadInput(f"A key of fewer than {IMPORT_MIN_CHARS} characters is not taken over.")
        key_id, _ = new_secret()
        return await self._insert(key_id, name, role, scope, secret, weak=True, actor=actor)

    async def revoke(self, key_id: str, *, actor: str) -> None:
        """Refuse a key from now on. Raises NotFound."""
        if not await self._db.write(lambda tx: sql.revoke(tx, key_id, actor)):
            raise NotFound(f"There is no key {key_id!r} in use.", hint="`outpost key list` shows all keys.")
        await self._load()

    def authenticate(self, secret: str) -> Principal:
        """Who has this secret. Raises Unauthenticated."""
        live = self._live.get(hash_secret(secret))
        if live is None:
            raise Unauthenticated()
        key_id, principal = live
        self._last_used_s[key_id] = self._clock.mono_s()
        return principal

    def listed(self) -> list[tuple[Key, int | None]]:
        """Every key with the time it was last used since the hub started."""
        now_us, now_s = self._clock.now().at_us, self._clock.mono_s()
        used = {key_id: now_us - int((now_s - at_s) * 1_000_000) for key_id, at_s in self._last_used_s.items()}
        return [(key, used.get(key.id)) for key in self._by_hash.values()]

    async def _insert(
        self, key_id: str, name: str, role: Role, scope: str, secret: str, *, weak: bool, actor: str
    ) -> Key:
        if not 1 <= len(name) <= NAME_CHARS or not name.isprintable() or name != name.strip():
            raise BadInput(f"A key needs a name of 1 to {NAME_CHARS} printable characters.")
        async with self._adding:
            return await self._insert_alone(key_id, name, role, scope, secret, weak=weak, actor=actor)

    async def _insert_alone(
        self, key_id: str, name: str, role: Role, scope: str, secret: str, *, weak: bool, actor: str
    ) -> Key:
        if hash_secret(secret) in self._by_hash:
            raise Conflict("This key is already known, perhaps revoked.", hint="`outpost key list` shows all keys.")
        # revoked ones too: what the old one asked for would be the new one's
        if any(key.name == name for key in self._by_hash.values()):
            raise Conflict(
                f"There is or was a key named {name!r}; the audit names keys, so each needs a name of its own.",
                hint="Give another name: `outpost key list` shows those that were used.",
            )
        key = Key(
            id=key_id,
            name=name,
            role=role,
            scope=scope,
            hash=hash_secret(secret),
            weak=weak,
            created_us=self._clock.now().at_us,
            created_by=actor,
        )
        await self._db.write(lambda tx: sql.insert(tx, key))
        self._remember(key)
        return key

    async def _load(self) -> None:
        keys = await self._db.write(sql.all_keys)
        self._by_hash, self._live = {}, {}
        for key in keys:
            self._remember(key)

    def _remember(self, key: Key) -> None:
        self._by_hash[key.hash] = key
        if key.revoked_us is None:
            self._live[key.hash] = key.id, key.principal
