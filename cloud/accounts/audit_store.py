"""The only SQL of the audit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import Audit, Site


async def insert_change(connection: AsyncConnection, **values: object) -> None:
    """Add one row."""
    await connection.execute(insert(Audit).values(**values))


async def changes(
    connection: AsyncConnection,
    tenant_id: int,
    *,
    slug: str,
    reached: Collection[str],
    before: int | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Rows of a tenant, the newest first, with the slug of their site.

    `slug`: of this site alone; `reached`: of these sites alone; both unless empty. `before`: older than this id.
    """
    query = (
        select(Audit, Site.slug)
        .join(Site, (Site.tenant_id == Audit.tenant_id) & (Site.id == Audit.site_id), isouter=True)
        .where(Audit.tenant_id == tenant_id)
        .order_by(Audit.id.desc())
        .limit(limit)
    )
    if slug:
        query = query.where(Site.slug == slug)
    if reached:
        query = query.where(Site.slug.in_(reached))
    if before is not None:
        query = query.where(Audit.id < before)
    return (await connection.execute(query)).mappings().all()
