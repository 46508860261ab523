"""The keys whose signatures on firmware a tenant trusts: their public halves.

A hub trusts by its own list alone: what is trusted here decides what may be uploaded here, not what a hub takes.
"""

from __future__ import annotations

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import store as accounts_sql
from cloud.accounts.audit import record
from cloud.accounts.keys import check_name
from cloud.accounts.member import Member
from cloud.db.database import Database
from cloud.updates import key_store as sql
from edge.clock import Clock, iso
from edge.errors import Conflict, NotFound
from edge.updates.signing.keys import PublicKey, public_from
from edge.wire.updates import FirmwareKeyView

KEYS_MAX = 16  # each signature is tried with each


class Trusted:
    """Those of all tenants; each member sees those of his."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    async def listed(self, member: Member) -> list[FirmwareKeyView]:
        """All of them."""
        async with self._db.read() as connection:
            return [_view(row) for row in await sql.keys(connection, member.tenant_id)]

    async def trust(self, member: Member, name: str, pem: str) -> FirmwareKeyView:
        """Trust a public key. Raises BadInput, Conflict."""
        check_name(name, "A key")
        key, now_us = public_from(pem.encode()), self._clock.now().at_us
        row = {"id": key.id, "name": name, "pem": key.pem, "created_us": now_us, "created_by": member.actor}
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            known = await sql.keys(connection, member.tenant_id)
            for one in known:
                if one["id"] == key.id and one["name"] == name:
                    return _view(one)
                if one["id"] == key.id:
                    raise Conflict(f"This key is trusted already, as {one['name']!r}.")
                if one["name"] == name:
                    raise Conflict(f"There is a key {name!r} already.", hint="Give another name.")
            if len(known) >= KEYS_MAX:
                raise Conflict(f"{KEYS_MAX} keys are trusted already.", hint="Let go of one first.")
            await sql.insert_key(connection, tenant_id=member.tenant_id, **row)
            detail = {"name": name}
            await record(connection, member, "firmware.key.trusted", at_us=now_us, subject=key.id, detail=detail)
        return FirmwareKeyView(id=key.id, name=name, created_at=iso(now_us), created_by=member.actor)

    async def distrust(self, member: Member, named: str) -> None:
        """Trust a key no more, by its id or name; artifacts that are here stay. Raises NotFound."""
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            gone = await sql.remove(connection, member.tenant_id, named)
            if gone is None:
                raise NotFound(f"No key {named[:80]!r} is trusted here.", hint="`outpost firmware trust list`.")
            key_id, name = gone
            detail = {"name": name}
            await record(connection, member, "firmware.key.removed", at_us=now_us, subject=key_id, detail=detail)


async def keys_of(connection: AsyncConnection, tenant_id: int) -> list[tuple[str, PublicKey]]:
    """What they are called, and what to verify with."""
    rows = await sql.keys(connection, tenant_id)
    return [(row["name"], public_from(row["pem"].encode())) for row in rows]


def _view(row: RowMapping) -> FirmwareKeyView:
    return FirmwareKeyView(
        id=row["id"], name=row["name"], created_at=iso(row["created_us"]), created_by=row["created_by"]
    )
