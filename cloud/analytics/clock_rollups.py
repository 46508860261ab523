"""Rollups follow when a hub tells that a boot's clock was not set: its readings count in other hours then."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics import rollup_store as sql
from cloud.sites.gate import HubCaller
from cloud.sync.clock_fixes import fixes
from edge.wire.ledger import Fact


class ClockRollups:
    """A Projection. It stands before the one that keeps the fixes: it needs what was known before."""

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Have the hours of such boots made anew."""
        boots = [fixed.boot for _, fixed in fixes(facts)]
        if boots:
            await sql.queue_fixes(connection, site.tenant_id, site.site_id, boots)
