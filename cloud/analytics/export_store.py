"""The only SQL of exports that nothing else has: what there is to go through, in order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.analytics.history_store import Place
from cloud.db.models import CommandRow, Site
from cloud.db.reading_models import Series
from cloud.fleet.state_store import SITE, reached

SERIES_EACH = 500


async def series(
    connection: AsyncConnection, tenant_id: int, site_id: int, behind: tuple[str, str]
) -> dict[tuple[str, str], list[Place]]:
    """The next keys of a site's devices behind (device, key), in that order, and where the readings of each lie."""
    mine = (Series.tenant_id == tenant_id, Series.site_id == site_id)
    name = (Series.device, Series.key)
    names = select(*name).where(*mine, tuple_(*name) > tuple_(*behind)).distinct().order_by(*name)
    wanted = [(row[0], row[1]) for row in await connection.execute(names.limit(SERIES_EACH))]
    if not wanted:
        return {}
    found: dict[tuple[str, str], list[Place]] = {one: [] for one in wanted}
    query = select(*name, Series.epoch_no, Series.number).where(
        *mine, tuple_(*name) >= tuple_(*wanted[0]), tuple_(*name) <= tuple_(*wanted[-1])
    )
    for device, key, epoch_no, number in await connection.execute(query.order_by(Series.epoch_no)):
        if (device, key) in found:
            found[device, key].append(Place(tenant_id, site_id, epoch_no, number))
    return found


async def commands(
    connection: AsyncConnection, member: Member, *, site: str, window: tuple[int, int], after: int, limit: int
) -> Sequence[RowMapping]:
    """Commands created in [from, to), oldest first, behind number `after`, with their site's columns."""
    query = (
        select(CommandRow.__table__, *(column for column in SITE if column.key != "site_id"))
        .join(Site, (Site.tenant_id == CommandRow.tenant_id) & (Site.id == CommandRow.site_id))
        .where(
            CommandRow.tenant_id == member.tenant_id,
            CommandRow.created_us >= window[0],
            CommandRow.created_us < window[1],
            CommandRow.number > after,
            *reached(member, site),
        )
        .order_by(CommandRow.number)
        .limit(limit)
    )
    return (await connection.execute(query)).mappings().all()
