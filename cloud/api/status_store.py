"""The only SQL of the centre at one look."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, RowMapping, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.db.models import CommandRow, InboxItem, Site
from edge.wire.commands import State


async def answers(connection: AsyncConnection) -> None:
    """Ask the database for nothing. Raises what it raises."""
    await connection.execute(select(literal(1)))


async def sites(connection: AsyncConnection, member: Member) -> Sequence[RowMapping]:
    """How every site a member reaches is kept, when its hub was last heard, its alert and its report."""
    query = select(Site.id, Site.state, Site.seen_us, Site.alert, Site.report, Site.report_us)
    return (await connection.execute(query.where(*_reached(member)))).mappings().all()


async def inbox_full(connection: AsyncConnection, member: Member, most: int) -> dict[int, int]:
    """How many items wait for the sites for which at least `most` do."""
    query = (
        select(InboxItem.site_id, func.count())
        .where(InboxItem.tenant_id == member.tenant_id, InboxItem.outcome == "")
        .group_by(InboxItem.site_id)
        .having(func.count() >= most)
    )
    return {site_id: count for site_id, count in await connection.execute(query)}


async def in_doubt(connection: AsyncConnection, member: Member) -> int:
    """How many commands at those sites a person has to settle."""
    query = select(func.count()).select_from(CommandRow)
    query = query.where(CommandRow.tenant_id == member.tenant_id, CommandRow.state == State.IN_DOUBT.value)
    if member.sites:
        query = query.where(CommandRow.site_id.in_(select(Site.id).where(*_reached(member))))
    return int((await connection.execute(query)).scalar_one())


def _reached(member: Member) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = [Site.tenant_id == member.tenant_id]
    if member.sites:
        clauses.append(Site.slug.in_(sorted(member.sites)))
    return clauses
