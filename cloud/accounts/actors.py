"""Who an actor is now: what somebody asked for may be carried out long after, when he may less, or nothing."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import people_store
from cloud.accounts import store as sql
from cloud.accounts.login_store import ACTIVE
from cloud.accounts.member import FIRST_TENANT, Member
from edge.serving.roles import Role


async def member_now(connection: AsyncConnection, tenant_id: int, actor: str) -> Member | None:
    """Whom the audit's `actor` names, with what he may now; None for a key that was revoked, for an account that is
    not open, and for nobody. Names of keys and usernames are never given twice."""
    kind, _, name = actor.partition(":")
    if kind == "login" and tenant_id == FIRST_TENANT:
        return Member(actor, Role.ADMIN, tenant_id=tenant_id, at_machine=True)
    row = None
    if kind == "key":
        row = await sql.live_key(connection, tenant_id, name)
    elif kind == "user":
        row = await people_store.of_username(connection, tenant_id, name)
        row = row if row is not None and row["state"] == ACTIVE else None
    if row is None:
        return None
    sites = frozenset(row["sites"].split())
    return Member(actor, Role.parse(row["role"]), tenant_id=tenant_id, sites=sites)
