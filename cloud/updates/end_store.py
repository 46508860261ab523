"""The only SQL for how updates ended, and for what devices run by their hubs' word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.db.models import Site
from cloud.db.update_models import UpdateEnd
from cloud.fleet.state_store import reached

ENDS = 500  # in one statement


async def save(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """How each of these updates ended, in place of what was known before."""
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = kind.insert(UpdateEnd)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[UpdateEnd.tenant_id, UpdateEnd.site_id, UpdateEnd.device, UpdateEnd.rollout],
        set_={name: new[name] for name in ("artifact", "version", "step", "reason", "ended_us")},
    )
    for at in range(0, len(rows), ENDS):
        await connection.execute(statement, list(rows[at : at + ENDS]))


async def prune(connection: AsyncConnection, before_us: int) -> None:
    """Forget what ended before then."""
    await connection.execute(delete(UpdateEnd).where(UpdateEnd.ended_us < before_us))


async def since(
    connection: AsyncConnection, member: Member, site: str, since_us: int
) -> list[tuple[str, str, int]]:
    """Step, reason and how many of the updates that ended since then at the sites a caller reaches, or at one; what
    most ended with first."""
    of = UpdateEnd
    query = (
        select(of.step, of.reason, func.count())
        .join(Site, (Site.tenant_id == of.tenant_id) & (Site.id == of.site_id))
        .where(of.tenant_id == member.tenant_id, of.ended_us >= since_us, *reached(member, site))
        .group_by(of.step, of.reason)
        .order_by(func.count().desc(), of.step, of.reason)
    )
    return [(row[0], row[1], row[2]) for row in await connection.execute(query)]
