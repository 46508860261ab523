"""The keys of head office and of apps: made, imported, looked up, revoked.

All are held in memory by hash and read anew every few seconds, so that a key revoked at one instance is refused by
all within RELOAD_S.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import insert, select

from cloud.accounts.member import Member
from cloud.db.database import Database
from cloud.db.models import ApiKey, Tenant
from edge.access.model import hash_secret, new_secret
from edge.clock import Clock
from edge.errors import Unauthenticated
from edge.serving.roles import Role

ADMIN_KEY_FILE = "admin.key"
RELOAD_S = 3.0
FIRST_TENANT_NAME = "main"


class Keys:
    """All keys. `start` makes the first tenant and its admin key on a new database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock
        self._by_hash: dict[bytes, Member] = {}

    async def start(self, directory: Path) -> None:
        """Load all keys; write `<directory>/admin.key` (0600) when there has never been one."""
        async with self._db.write() as connection:
            if (await connection.execute(select(Tenant.id).limit(1))).first() is None:
                now_us = self._clock.now().at_us
                await connection.execute(insert(Tenant).values(id=1, name=FIRST_TENANT_NAME, created_us=now_us))
                key_id, secret = new_secret()
                _write_secret(directory / ADMIN_KEY_FILE, secret)
                await connection.execute(
                    insert(ApiKey).values(
                        tenant_id=1,
                        id=key_id,
                        name="first-admin",
                        role=Role.ADMIN.label,
                        hash=hash_secret(secret),
                        created_us=now_us,
                        created_by="setup",
                    )
                )
        await self.reload()

    async def reload(self) -> None:
        """Read them anew."""
        async with self._db.read() as connection:
            rows = (await connection.execute(select(ApiKey).where(ApiKey.revoked_us.is_(None)))).mappings()
            self._by_hash = {
                row["hash"]: Member(
                    f"key:{row['name']}",
                    Role.parse(row["role"]),
                    row["scope"],
                    row["tenant_id"],
                    frozenset(row["sites"].split()),
                )
                for row in rows
            }

    def authenticate(self, secret: str) -> Member:
        """Who has this secret. Raises Unauthenticated."""
        found = self._by_hash.get(hash_secret(secret))
        if found is None:
            raise Unauthenticated()
        return found


def _write_secret(path: Path, secret: str) -> None:
    """Write a secret for its owner's eyes only."""
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
