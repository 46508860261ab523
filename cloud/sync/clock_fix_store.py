"""The only SQL that writes when boots of hubs began."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.reading_models import ClockFix
from cloud.sites.gate import HubCaller
from edge.wire.times import ClockFixed


async def keep(connection: AsyncConnection, site: HubCaller, fixes: Sequence[tuple[ClockFixed, int]]) -> None:
    """Keep these, each with the number of its fact and each of another boot, instead of what was known of those
    boots; under the lock of the site's ledger."""
    if not fixes:
        return
    mine = ClockFix.tenant_id == site.tenant_id, ClockFix.site_id == site.site_id
    gone = delete(ClockFix).where(*mine, ClockFix.boot_id == bindparam("b_boot"))
    await connection.execute(gone, [{"b_boot": fixed.boot} for fixed, _ in fixes])
    of_all = {"tenant_id": site.tenant_id, "site_id": site.site_id}
    rows = [{**of_all, "boot_id": fixed.boot, "began_us": fixed.began_us, "seq": seq} for fixed, seq in fixes]
    await connection.execute(insert(ClockFix), rows)


async def known(connection: AsyncConnection, site: HubCaller, boot_id: str) -> tuple[int, int] | None:
    """When this boot began as far as is known (UTC microseconds), and the number of the fact that said so."""
    query = select(ClockFix.began_us, ClockFix.seq).where(
        ClockFix.tenant_id == site.tenant_id, ClockFix.site_id == site.site_id, ClockFix.boot_id == boot_id
    )
    row = (await connection.execute(query)).first()
    return None if row is None else (int(row[0]), int(row[1]))
