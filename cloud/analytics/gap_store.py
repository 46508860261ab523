"""The only SQL that looks for what was lost of a site's readings: the facts of the kind `gap`, which are few."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.analytics.times_store import FACT_FIX, fact_at
from cloud.db.models import GAPS, FactRow
from cloud.db.reading_models import ClockFix

WHOLE_HUB = "readings"  # the subject of a gap in the readings of all devices of a hub


async def gaps(
    connection: AsyncConnection, member: Member, site_id: int, device: str, from_us: int, limit: int
) -> Sequence[RowMapping]:
    """The newest gaps of a device, and of all devices of its hub, told of since `from_us`; newest first."""
    query = (
        select(FactRow.seq, FactRow.subject, FactRow.body, fact_at)
        .outerjoin(ClockFix, FACT_FIX)
        .where(
            GAPS,
            FactRow.tenant_id == member.tenant_id,
            FactRow.site_id == site_id,
            FactRow.skipped.is_(False),
            FactRow.subject.in_((device, WHOLE_HUB)),
            fact_at.element >= from_us,
        )
        .order_by(fact_at.element.desc(), FactRow.seq.desc())
        .limit(limit)
    )
    return (await connection.execute(query)).mappings().all()
