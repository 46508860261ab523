"""The keys of head office and of apps: made, imported, looked up, revoked.

All that are in use are held in memory by hash, and read anew when one changes and every few seconds anyway, so that
a key revoked at one instance is refused by all within RELOAD_S.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import store as sql
from cloud.accounts.audit import record
from cloud.accounts.member import FIRST_TENANT, Member
from cloud.db.database import Database
from cloud.db.signals import Signals
from edge.access.model import IMPORT_MIN_CHARS, OLD_SYSTEMS, hash_secret, new_secret
from edge.clock import Clock
from edge.errors import BadInput, Conflict, Forbidden, NotFound, StorageError, Unauthenticated
from edge.serving.roles import Role
from edge.settle import write_secret

log = logging.getLogger(__name__)

ADMIN_KEY_FILE = "admin.key"
FIRST_TENANT_NAME = "main"
TOPIC = "keys"  # told when one changes
RELOAD_S = 3.0
USED_EVERY_S = 60.0  # how often the database is told that a key was used
NAME_CHARS = 64
KEYS_MAX = 1000  # in use, of one tenant: every instance holds them all
SITES_MAX = 100  # that one key names
LIST_HINT = "`outpost key list` shows all keys."
SITES_HINT = "`outpost site list` shows the sites."


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to be made; with a `secret` one that older clients have compiled in, for the old system `scope`."""

    name: str
    role: Role
    scope: str = ""
    secret: str = ""
    sites: frozenset[str] = frozenset()


class Keys:
    """All keys. `start` makes the first tenant and its admin key on a new database."""

    def __init__(self, database: Database, signals: Signals, clock: Clock) -> None:
        self._db, self._signals, self._clock = database, signals, clock
        self._by_hash: dict[bytes, tuple[str, Member]] = {}
        self._used_s: dict[tuple[int, str], float] = {}  # since the database was last told
        self._told_s = clock.mono_s()
        self._loading = asyncio.Lock()  # who read before a revocation does not overwrite who read behind it

    async def start(self, directory: Path) -> None:
        """Load all keys; write `<directory>/admin.key` (0600) when there has never been one."""
        async with self._db.write() as connection:
            if await sql.insert_first_tenant(connection, FIRST_TENANT_NAME, self._clock.now().at_us):
                setup = Member("setup", Role.ADMIN, tenant_id=FIRST_TENANT)
                _, secret = await self.insert(connection, setup, NewKey(name="first-admin", role=Role.ADMIN))
                # before the commit: a key nobody can read locks everybody out
                await asyncio.to_thread(write_secret, directory / ADMIN_KEY_FILE, secret)
        await self.reload()

    async def create(self, member: Member, wanted: NewKey) -> tuple[str, str]:
        """A new key, or one taken over: its id, and its secret, which is told this once.

        Raises BadInput, NotFound for a site that is not there or that `member` does not reach, Conflict.
        """
        _check(wanted)
        if not wanted.sites and member.sites:
            raise Forbidden(
                "You reach some sites only, so a key you make names its own.",
                hint="Give `sites` of those you reach.",
            )
        if not member.covers(wanted.sites):
            raise NotFound("There is no such site.", hint=SITES_HINT)
        async with self._db.write() as connection:
            made = await self.insert(connection, member, wanted)
        await self.changed()
        return made

    async def insert(self, connection: AsyncConnection, member: Member, wanted: NewKey) -> tuple[str, str]:
        """The same within a transaction, for whoever makes a tenant; `changed` is to follow its end."""
        await sql.lock_tenant(connection, member.tenant_id)
        rows = await sql.keys_of(connection, member.tenant_id)
        live = [row for row in rows if row["revoked_us"] is None]
        if any(row["name"] == wanted.name for row in rows):  # revoked ones too: commands name whose they are
            raise Conflict(
                f"There is or was a key named {wanted.name!r}; the audit names keys, so each needs its own name.",
                hint="Give another name: `outpost key list` shows those that were used.",
            )
        if len(live) >= KEYS_MAX:
            raise Conflict(
                f"There are {KEYS_MAX} keys in use already.", hint="Revoke some first: `outpost key list`."
            )
        if wanted.sites - await sql.slugs(connection, member.tenant_id, wanted.sites):
            raise NotFound("There is no such site.", hint=SITES_HINT)
        key_id, secret = new_secret()
        secret_hash = hash_secret(wanted.secret or secret)
        if await sql.is_known(connection, secret_hash):
            raise Conflict("This key is already known, perhaps revoked.", hint=LIST_HINT)
        now_us = self._clock.now().at_us
        await sql.insert_key(
            connection,
            tenant_id=member.tenant_id,
            id=key_id,
            name=wanted.name,
            role=wanted.role.label,
            scope=wanted.scope,
            sites=" ".join(sorted(wanted.sites)),
            hash=secret_hash,
            weak=bool(wanted.secret),
            created_us=now_us,
            created_by=member.actor,
        )
        detail = {
            "name": wanted.name,
            "role": wanted.role.label,
            "scope": wanted.scope,
            "sites": sorted(wanted.sites),
        }
        await record(connection, member, "key.created", at_us=now_us, subject=key_id, detail=detail)
        return key_id, "" if wanted.secret else secret

    async def revoke(self, member: Member, key_id: str) -> None:
        """Refuse a key from now on. Raises NotFound, also for one that reaches more than `member` does."""
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            seen = [row for row in await self._seen_by(connection, member) if row["id"] == key_id]
            if not seen or not await sql.revoke_key(connection, member.tenant_id, key_id, now_us):
                raise NotFound(f"There is no key {key_id!r} in use.", hint=LIST_HINT)
            detail = {"name": seen[0]["name"]}
            await record(connection, member, "key.revoked", at_us=now_us, subject=key_id, detail=detail)
        await self.changed()

    async def changed(self) -> None:
        """Let all instances know of keys made by `insert`, once their transaction has ended."""
        self._signals.tell(TOPIC)
        await self.reload()

    async def listed(self, member: Member) -> list[RowMapping]:
        """All keys that reach no more than `member` does, revoked ones too, with the time of their last use."""
        await self._tell_use()
        async with self._db.read() as connection:
            return await self._seen_by(connection, member)

    def authenticate(self, secret: str) -> Member:
        """Who has this secret. Raises Unauthenticated."""
        found = self._by_hash.get(hash_secret(secret))
        if found is None:
            raise Unauthenticated()
        key_id, caller = found
        self._used_s[caller.tenant_id, key_id] = self._clock.mono_s()
        return caller

    async def reload(self) -> None:
        """Read them anew. Raises StorageError."""
        async with self._loading, self._db.read() as connection:
            self._by_hash = {row["hash"]: (row["id"], _member(row)) for row in await sql.live_keys(connection)}

    async def keep_fresh(self) -> None:
        """Read them anew whenever one changes anywhere, and every RELOAD_S; until cancelled."""
        with self._signals.watch(TOPIC) as watch:
            while True:
                await watch.wait(RELOAD_S)
                try:
                    await self.reload()
                    if self._clock.mono_s() - self._told_s >= USED_EVERY_S:
                        await self._tell_use()
                except StorageError as error:
                    log.warning("keys cannot be read anew: %s", error)

    async def _seen_by(self, connection: AsyncConnection, member: Member) -> list[RowMapping]:
        rows = await sql.keys_of(connection, member.tenant_id)
        return [row for row in rows if member.covers(frozenset(row["sites"].split()))]

    async def _tell_use(self) -> None:
        """Write down when keys were last used."""
        used, self._used_s = self._used_s, {}
        now_us, now_s = self._clock.now().at_us, self._clock.mono_s()
        self._told_s = now_s
        if not used:
            return
        try:
            async with self._db.write() as connection:
                for (tenant_id, key_id), at_s in sorted(used.items()):
                    used_us = now_us - int((now_s - at_s) * 1_000_000)
                    await sql.note_use(connection, tenant_id, key_id, used_us)
        except StorageError:
            self._used_s = {**used, **self._used_s}
            raise


def check_name(name: str, what: str) -> None:
    """Raise BadInput for what is no name: it stands in the audit, in tables and on terminals."""
    if not 1 <= len(name) <= NAME_CHARS or not name.isprintable() or name != name.strip():
        raise BadInput(f"{what} needs a name of 1 to {NAME_CHARS} printable characters.")


def _check(wanted: NewKey) -> None:
    """Raise BadInput for a key that cannot be."""
    check_name(wanted.name, "A key")
    if len(wanted.sites) > SITES_MAX:
        raise BadInput(f"A key names at most {SITES_MAX} sites; one that names none reaches all.")
    if wanted.scope and not wanted.secret:
        raise BadInput("Only an imported key has a scope.", hint="Leave `scope` out, or give the `secret` too.")
    if wanted.secret and wanted.scope not in OLD_SYSTEMS:
        known = ", ".join(sorted(OLD_SYSTEMS))
        raise BadInput(f"An imported key needs the older system it belongs to; known: {known}.")
    if wanted.secret and len(wanted.secret) < IMPORT_MIN_CHARS:
        raise BadInput(f"A key of fewer than {IMPORT_MIN_CHARS} characters is not taken over.")


def _member(row: RowMapping) -> Member:
    """Who a caller with this key is."""
    return Member(
        f"key:{row['name']}",
        Role.parse(row["role"]),
        row["scope"],
        tenant_id=row["tenant_id"],
        sites=frozenset(row["sites"].split()),
    )
