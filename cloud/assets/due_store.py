"""The only SQL for what of bands is due to be worked out anew, and of which sites."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, case, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics.times_store import is_unset
from cloud.assets.definition_store import SiteKey
from cloud.db.asset_models import AssetDue, AssetMark
from cloud.db.reading_models import Boot, ClockFix, Reading
from edge.assets.deriving import FOREVER_US
from edge.wire.times import since

DEFINED = FOREVER_US  # in place of a time: only what is defined otherwise is due
ALL = ""  # in place of a device: every asset of the site
NEVER = -1  # a boot that no fix tells of


class Due(msgspec.Struct, frozen=True):
    """Bands are to be worked out anew: of the assets of a device, or ALL, from a time on. `n` tells whether more
    was added since."""

    device: str
    from_us: int
    n: int


async def add(connection: AsyncConnection, site: SiteKey, first_us: Mapping[str, int]) -> None:
    """What is of these devices has changed from these times on."""
    rows = [
        {"tenant_id": site[0], "site_id": site[1], "device": device, "from_us": at_us, "n": 1}
        for device, at_us in sorted(first_us.items())
    ]
    if rows:
        await connection.execute(_adding(connection.dialect.name), rows)


async def of_site(connection: AsyncConnection, site: SiteKey) -> list[Due]:
    """What is due at a site."""
    mine = AssetDue.tenant_id == site[0], AssetDue.site_id == site[1]
    query = select(AssetDue.device, AssetDue.from_us, AssetDue.n).where(*mine)
    return [Due(*row) for row in await connection.execute(query)]


async def sites(connection: AsyncConnection, now_us: int) -> list[SiteKey]:
    """The sites for which there is something to do: something is due, or a time has come."""
    due = select(AssetDue.tenant_id, AssetDue.site_id)
    come = select(AssetMark.tenant_id, AssetMark.site_id).where(AssetMark.look_us <= now_us)
    return [(row[0], row[1]) for row in await connection.execute(due.union(come))]


async def done(connection: AsyncConnection, site: SiteKey, dues: Sequence[Due]) -> None:
    """These are due no more, but for what was added to them since."""
    if dues:
        rows = [{"of_tenant": site[0], "of_site": site[1], "of_device": one.device, "of_n": one.n} for one in dues]
        await connection.execute(_DONE, rows)


async def first_of_boots(connection: AsyncConnection, site: SiteKey, began_us: Mapping[str, int]) -> int | None:
    """The earliest time that a reading of these boots has, had, or will have once they are known to have begun so;
    None where they have none. Call it before the fixes are kept, in their transaction."""
    mine = and_(Boot.tenant_id == site[0], Boot.site_id == site[1], Boot.boot_id.in_(sorted(began_us)))
    same = and_(
        ClockFix.tenant_id == Boot.tenant_id, ClockFix.site_id == Boot.site_id, ClockFix.boot_id == Boot.boot_id
    )
    boots = select(Boot.epoch_no, Boot.number, Boot.boot_id, func.coalesce(ClockFix.began_us, NEVER))
    found: list[int] = []
    for epoch_no, number, boot_id, was_us in (
        await connection.execute(boots.outerjoin(ClockFix, same).where(mine))
    ).all():
        rows = select(func.min(Reading.at_us), func.min(Reading.mono_ms)).where(
            Reading.tenant_id == site[0],
            Reading.site_id == site[1],
            Reading.epoch_no == epoch_no,
            Reading.boot == -number,
            is_unset,
        )
        at_us, mono_ms = (await connection.execute(rows)).one()
        if at_us is not None:
            found += [at_us, since(began_us[boot_id], mono_ms)]
            found += [] if was_us == NEVER else [since(was_us, mono_ms)]
    return min(found, default=None)


_DONE = delete(AssetDue).where(
    AssetDue.tenant_id == bindparam("of_tenant"),
    AssetDue.site_id == bindparam("of_site"),
    AssetDue.device == bindparam("of_device"),
    AssetDue.n == bindparam("of_n"),
)


@functools.cache
def _adding(engine: str) -> Any:
    """The statement of `add`: building it costs more than running it."""
    table = AssetDue.__table__
    statement = (sqlite if engine == "sqlite" else postgresql).insert(table)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[table.c.tenant_id, table.c.site_id, table.c.device],
        set_={
            "from_us": case((new.from_us < table.c.from_us, new.from_us), else_=table.c.from_us),
            "n": table.c.n + 1,
        },
    )
