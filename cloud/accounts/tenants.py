"""Tenants: made and listed by whoever is logged in on the centre's own machine."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping

from cloud.accounts import store as sql
from cloud.accounts.audit import record
from cloud.accounts.keys import Keys, NewKey, check_name
from cloud.accounts.member import FIRST_TENANT, Member
from cloud.db.database import Database
from edge.clock import Clock
from edge.errors import Conflict
from edge.serving.roles import Role


class Tenants:
    """All tenants. A key opens its own tenant only: the routes to these let in logins on the machine alone."""

    def __init__(self, database: Database, keys: Keys, clock: Clock) -> None:
        self._db, self._keys, self._clock = database, keys, clock

    async def create(self, member: Member, name: str) -> tuple[int, str]:
        """A new tenant: its id and its first admin key. Raises BadInput, Conflict."""
        check_name(name, "A tenant")
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            await sql.lock_tenant(connection, FIRST_TENANT)
            if any(row["name"] == name for row in await sql.tenants(connection)):
                raise Conflict(
                    f"There is a tenant named {name!r} already.", hint="`outpost tenant list` shows them."
                )
            tenant_id = await sql.insert_tenant(connection, name, now_us)
            first = Member(member.actor, Role.ADMIN, tenant_id=tenant_id)
            await record(connection, first, "tenant.created", at_us=now_us, subject=name)
            _, secret = await self._keys.insert(connection, first, NewKey(name="first-admin", role=Role.ADMIN))
        await self._keys.changed()
        return tenant_id, secret

    async def listed(self) -> Sequence[RowMapping]:
        """All of them, with the number of their sites."""
        async with self._db.read() as connection:
            return await sql.tenants(connection)
