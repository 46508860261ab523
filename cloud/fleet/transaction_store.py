"""The only SQL that reads transactions; they are kept by facts of the hubs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.db.models import Site, TransactionRow
from cloud.fleet.state_store import reached
from edge.wire.commands import OPEN


async def transactions(
    connection: AsyncConnection,
    member: Member,
    *,
    site: str = "",
    device: str = "",
    state: str = "",
    before: int | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Those a caller reaches, newest first, older than number `before`; `state` also `open`."""
    query = _transactions(member, site).order_by(TransactionRow.number.desc()).limit(limit)
    if device:
        query = query.where(TransactionRow.device == device)
    if state:
        states = sorted(OPEN) if state == "open" else [state]
        query = query.where(TransactionRow.state.in_(states))
    if before is not None:
        query = query.where(TransactionRow.number < before)
    return (await connection.execute(query)).mappings().all()


async def transactions_since(
    connection: AsyncConnection, member: Member, *, site: str, from_us: int, to_us: int, after: int, limit: int
) -> Sequence[RowMapping]:
    """Those asked for in [from_us, to_us), oldest first, behind number `after`."""
    query = _transactions(member, site).where(
        TransactionRow.created_us >= from_us, TransactionRow.created_us < to_us, TransactionRow.number > after
    )
    return (await connection.execute(query.order_by(TransactionRow.number).limit(limit))).mappings().all()


async def transactions_by_id(
    connection: AsyncConnection, member: Member, ids: Collection[str], site: str = ""
) -> Sequence[RowMapping]:
    """Those with these ids that a caller reaches."""
    query = _transactions(member, site).where(TransactionRow.id.in_(ids))
    return (await connection.execute(query)).mappings().all()


def _transactions(member: Member, site: str) -> Select[*tuple[Any, ...]]:
    return (
        select(TransactionRow.__table__, Site.slug)
        .join(Site, (Site.tenant_id == TransactionRow.tenant_id) & (Site.id == TransactionRow.site_id))
        .where(TransactionRow.tenant_id == member.tenant_id, *reached(member, site))
    )
