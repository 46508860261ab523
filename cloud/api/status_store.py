"""The only SQL of the centre at one look."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, RowMapping, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.db.models import CommandRow, Site
from edge.wire.commands import State


async def answers(connection: AsyncConnection) -> None:
    """Ask the database for nothing. Raises what it raises."""
    await connection.execute(select(literal(1)))


async def sites(connection: AsyncConnection, member: Member) -> Sequence[RowMapping]:
    """State, time last heard and report of every site a member reaches."""
    query = select(Site.state, Site.seen_us, Site.report).where(*_reached(member))
    return (await connection.execute(query)).mappings().all()


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
