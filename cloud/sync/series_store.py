"""The only SQL for what readings name by number: series and boots, each within an epoch."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import and_, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.reading_models import Boot, Series
from cloud.sites.gate import HubCaller
from edge.errors import Forked, RowRejected

ASKED_AT_ONCE = 1000  # numbers in one query: engines bound its parameters
SERIES_KEPT = 500_000  # of one site, over all epochs: a thousand devices of 256 keys, and as many after a restore


async def known(
    connection: AsyncConnection, site: HubCaller, epoch_no: int, numbers: Collection[int]
) -> dict[int, tuple[str, str]]:
    """Device and key of those of `numbers` that are here."""
    found: dict[int, tuple[str, str]] = {}
    asked = sorted(numbers)
    for at in range(0, len(asked), ASKED_AT_ONCE):
        query = select(Series.number, Series.device, Series.key).where(
            Series.tenant_id == site.tenant_id,
            Series.site_id == site.site_id,
            Series.epoch_no == epoch_no,
            Series.number.in_(asked[at : at + ASKED_AT_ONCE]),
        )
        found.update({row.number: (row.device, row.key) for row in await connection.execute(query)})
    return found


async def add_series(
    connection: AsyncConnection, site: HubCaller, epoch_no: int, series: Sequence[tuple[int, str, str]]
) -> None:
    """Note those that are not here. Raises Forked when one is here under another name, RowRejected for too many."""
    if not series:
        return
    there = await known(connection, site, epoch_no, {number for number, _, _ in series})
    new: dict[int, tuple[str, str]] = {}
    for number, device, key in series:
        if there.get(number, new.get(number, (device, key))) != (device, key):
            raise Forked(f"Series {number} is another one here.")
        if number not in there:
            new[number] = device, key
    key_columns = {"tenant_id": site.tenant_id, "site_id": site.site_id, "epoch_no": epoch_no}
    rows = [
        {**key_columns, "number": number, "device": device, "key": key} for number, (device, key) in new.items()
    ]
    if rows:
        await _require_room(connection, site, len(rows))
        await connection.execute(insert(Series), rows)


async def _require_room(connection: AsyncConnection, site: HubCaller, new: int) -> None:
    mine = Series.tenant_id == site.tenant_id, Series.site_id == site.site_id
    kept = (await connection.execute(select(func.count()).select_from(Series).where(*mine))).scalar_one()
    if kept + new > SERIES_KEPT:
        raise RowRejected(f"The centre keeps {SERIES_KEPT} series of a site; with this one there would be more.")


async def add_boots(
    connection: AsyncConnection, site: HubCaller, epoch_no: int, boots: Sequence[tuple[int, str]]
) -> None:
    """Note those that are not here. Raises Forked when one is here under another id."""
    here = and_(Boot.tenant_id == site.tenant_id, Boot.site_id == site.site_id, Boot.epoch_no == epoch_no)
    asked = sorted({number for number, _ in boots})
    there: dict[int, str] = {}
    for at in range(0, len(asked), ASKED_AT_ONCE):
        part = asked[at : at + ASKED_AT_ONCE]
        rows = await connection.execute(select(Boot.number, Boot.boot_id).where(here, Boot.number.in_(part)))
        there.update({row.number: row.boot_id for row in rows})
    new: dict[int, str] = {}
    for number, boot_id in boots:
        if there.get(number, new.get(number, boot_id)) != boot_id:
            raise Forked(f"Boot {number} is another one here.")
        if number not in there:
            new[number] = boot_id
    key_columns = {"tenant_id": site.tenant_id, "site_id": site.site_id, "epoch_no": epoch_no}
    if new:
        await connection.execute(
            insert(Boot), [{**key_columns, "number": number, "boot_id": boot_id} for number, boot_id in new.items()]
        )


async def highest(connection: AsyncConnection, site: HubCaller, epoch_no: int) -> tuple[int, int]:
    """The highest numbers of series and of boots that an epoch has here; 0 where it has none."""
    highest_of = []
    for table in (Series, Boot):
        query = select(func.max(table.number)).where(
            table.tenant_id == site.tenant_id, table.site_id == site.site_id, table.epoch_no == epoch_no
        )
        highest_of.append(int((await connection.execute(query)).scalar_one() or 0))
    return highest_of[0], highest_of[1]
