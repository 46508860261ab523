"""The only SQL that writes when boots of hubs began."""

from __future__ import annotations

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.reading_models import ClockFix
from cloud.sites.gate import HubCaller
from edge.wire.times import ClockFixed


async def keep(connection: AsyncConnection, site: HubCaller, fixed: ClockFixed, seq: int) -> None:
    """Keep it instead of what was known of that boot; under the lock of the site's ledger."""
    key = {"tenant_id": site.tenant_id, "site_id": site.site_id, "boot_id": fixed.boot}
    await connection.execute(delete(ClockFix).where(*(getattr(ClockFix, name) == key[name] for name in key)))
    await connection.execute(insert(ClockFix).values(**key, began_us=fixed.began_us, seq=seq))
