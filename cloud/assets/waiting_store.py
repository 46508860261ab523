"""The only SQL for what has been asked of hubs about assets and waits there."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import InboxItem

WAITING_MOST = 2_000  # of all sites together: of more, the first


async def bodies(connection: AsyncConnection, tenant_id: int, sites: Collection[int]) -> list[tuple[int, str]]:
    """What waits for the hubs of these sites, each with its site, in the order in which it was asked."""
    query = (
        select(InboxItem.site_id, InboxItem.body)
        .where(InboxItem.tenant_id == tenant_id, InboxItem.site_id.in_(sorted(sites)))
        .where(InboxItem.kind == "asset", InboxItem.outcome == "")
        .order_by(InboxItem.site_id, InboxItem.seq)
        .limit(WAITING_MOST)
    )
    return [(row.site_id, row.body) for row in await connection.execute(query)]
