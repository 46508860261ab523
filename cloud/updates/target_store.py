"""The only SQL for the devices of rollouts. A device's step changes only where it still is the one that was looked
at, so that the word of a hub that comes meanwhile is never lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import Site
from cloud.db.update_models import (
    OPEN_STEPS,
    Rollout,
    RolloutDeviceRow,
)

Key = tuple[int, str]
"""Tenant and rollout."""
DeviceKey = tuple[int, str]
"""Site and device."""

DEVICE = (
    RolloutDeviceRow.site_id,
    RolloutDeviceRow.rollout,
    RolloutDeviceRow.device,
    RolloutDeviceRow.place,
    RolloutDeviceRow.name,
    RolloutDeviceRow.wave,
    RolloutDeviceRow.step,
    RolloutDeviceRow.settled,
    RolloutDeviceRow.attempt,
    RolloutDeviceRow.reason,
    RolloutDeviceRow.deadline_s,
    RolloutDeviceRow.left_s,
    RolloutDeviceRow.changed_us,
    RolloutDeviceRow.item,
)
ROWS = 500  # in one statement
BEFORE_SWITCH = ("offered", "downloading", "verified", "delayed")


async def insert_devices(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """The devices of a rollout that starts."""
    for at in range(0, len(rows), ROWS):
        await connection.execute(insert(RolloutDeviceRow), list(rows[at : at + ROWS]))


async def counts(
    connection: AsyncConnection, tenant_id: int, rollouts: Collection[str], sites: Collection[int] | None = None
) -> Sequence[tuple[str, int, str, bool, int]]:
    """Rollout, wave, step, whether settled, and how many devices of these rollouts are there; of these sites alone
    when they are given."""
    row = RolloutDeviceRow
    by = row.rollout, row.wave, row.step, row.settled
    query = select(*by, func.count()).where(row.tenant_id == tenant_id, row.rollout.in_(sorted(rollouts)))
    if sites is not None:
        query = query.where(row.site_id.in_(sorted(sites)))
    return [(r[0], r[1], r[2], bool(r[3]), r[4]) for r in await connection.execute(query.group_by(*by))]


async def by_site(
    connection: AsyncConnection, tenant_id: int, rollout: str, sites: Collection[int] | None = None
) -> list[tuple[int, str, str, int]]:
    """Site, step, reason, and how many devices of a rollout are so."""
    row = RolloutDeviceRow
    by = row.site_id, row.step, row.reason
    query = select(*by, func.count()).where(row.tenant_id == tenant_id, row.rollout == rollout)
    if sites is not None:
        query = query.where(row.site_id.in_(sorted(sites)))
    return [(r[0], r[1], r[2], r[3]) for r in await connection.execute(query.group_by(*by))]


async def devices(
    connection: AsyncConnection,
    key: Key,
    *,
    steps: Collection[str] = (),
    waves: Collection[int] | None = None,
    sites: Collection[int] | None = None,
    behind: int = -1,
    limit: int | None = None,
) -> Sequence[RowMapping]:
    """Devices of a rollout in their order, with the slugs of their sites."""
    row = RolloutDeviceRow
    same = (Site.tenant_id == row.tenant_id) & (Site.id == row.site_id)
    query = (
        select(*DEVICE, Site.slug)
        .join(Site, same)
        .where(row.tenant_id == key[0], row.rollout == key[1], row.place > behind)
    )
    if steps:
        query = query.where(row.step.in_(sorted(steps)))
    if waves is not None:
        query = query.where(row.wave.in_(sorted(waves)))
    if sites is not None:
        query = query.where(row.site_id.in_(sorted(sites)))
    return (await connection.execute(query.order_by(row.place).limit(limit))).mappings().all()


async def some(
    connection: AsyncConnection, tenant_id: int, site_id: int, rollouts: Collection[str], devices: Collection[str]
) -> Sequence[RowMapping]:
    """These devices of a site in these rollouts, held until the transaction ends."""
    row, found, ids = RolloutDeviceRow, list[RowMapping](), sorted(devices)
    for at in range(0, len(ids), ROWS):
        query = select(*DEVICE).where(
            row.tenant_id == tenant_id,
            row.site_id == site_id,
            row.rollout.in_(sorted(rollouts)),
            row.device.in_(ids[at : at + ROWS]),
        )
        found += (await connection.execute(query.with_for_update())).mappings().all()
    return found


async def by_items(
    connection: AsyncConnection, tenant_id: int, site_id: int, items: Collection[str]
) -> Sequence[RowMapping]:
    """Devices whose hub was told by these inbox items, and that have not ended."""
    row = RolloutDeviceRow
    query = select(*DEVICE).where(
        row.tenant_id == tenant_id,
        row.site_id == site_id,
        row.item.in_(sorted(items)),
        row.step.in_(OPEN_STEPS),
    )
    return (await connection.execute(query)).mappings().all()


async def open_at(
    connection: AsyncConnection, tenant_id: int, site_id: int, devices: Collection[str] | None = None
) -> Sequence[RowMapping]:
    """What is open for the devices of a site, over all rollouts."""
    row = RolloutDeviceRow
    query = select(*DEVICE).where(row.tenant_id == tenant_id, row.site_id == site_id, row.step.in_(OPEN_STEPS))
    if devices is not None:
        query = query.where(row.device.in_(sorted(devices)))
    return (await connection.execute(query)).mappings().all()


async def newest_of(connection: AsyncConnection, tenant_id: int, of: DeviceKey) -> RowMapping | None:
    """What a device was last offered, by whichever rollout."""
    row = RolloutDeviceRow
    query = (
        select(*DEVICE, Rollout.artifact)
        .join(Rollout, (Rollout.tenant_id == row.tenant_id) & (Rollout.id == row.rollout))
        .where(row.tenant_id == tenant_id, row.site_id == of[0], row.device == of[1])
        .order_by(row.step.in_(OPEN_STEPS).desc(), Rollout.created_us.desc())
        .limit(1)
    )
    return (await connection.execute(query)).mappings().first()


async def overdue(
    connection: AsyncConnection, watched_s: float, limit: int, sites: Collection[int] | None = None
) -> Sequence[RowMapping]:
    """Devices of any tenant whose time is over; at these sites alone when they are given."""
    row = RolloutDeviceRow
    query = select(row.tenant_id, *DEVICE).where(row.step.in_(OPEN_STEPS), row.deadline_s <= watched_s)
    if sites is not None:
        query = query.where(row.site_id.in_(sorted(sites)))
    return (await connection.execute(query.order_by(row.deadline_s).limit(limit))).mappings().all()


async def move(
    connection: AsyncConnection,
    tenant_id: int,
    row: RowMapping | Mapping[str, Any],
    **values: object,
) -> bool:
    """Change a device that was looked at as `row`; whether it still was at that step and attempt."""
    of = RolloutDeviceRow
    done = await connection.execute(
        update(of)
        .where(
            of.tenant_id == tenant_id,
            of.site_id == row["site_id"],
            of.rollout == row["rollout"],
            of.device == row["device"],
            of.step == row["step"],
            of.attempt == row["attempt"],
        )
        .values(**values)
    )
    return bool(done.rowcount)


async def move_all(
    connection: AsyncConnection, tenant_id: int, rows: Iterable[RowMapping], **values: object
) -> None:
    """The same change for many devices, each where it still is at its step and attempt."""
    of = RolloutDeviceRow
    some = list(rows)
    if not some:
        return
    statement = (
        update(of)
        .where(
            of.tenant_id == tenant_id,
            of.site_id == bindparam("of_site"),
            of.rollout == bindparam("of_rollout"),
            of.device == bindparam("of_device"),
            of.step == bindparam("of_step"),
            of.attempt == bindparam("of_attempt"),
        )
        .values({name: bindparam(f"new_{name}") for name in values})
    )
    new = {f"new_{name}": value for name, value in values.items()}
    bound = [
        {
            "of_site": row["site_id"],
            "of_rollout": row["rollout"],
            "of_device": row["device"],
            "of_step": row["step"],
            "of_attempt": row["attempt"],
            **new,
        }
        for row in some
    ]
    await connection.execute(statement, bound)


async def stand_still(
    connection: AsyncConnection, key: Key, watched_s: float, sites: Collection[int] | None = None
) -> None:
    """Let the deadlines of devices that have not switched stand still; at these sites alone when they are given."""
    row = RolloutDeviceRow
    query = update(row).where(*_before_switch(key, sites), row.deadline_s.is_not(None))
    await connection.execute(query.values(left_s=row.deadline_s - watched_s, deadline_s=None))


async def go_on(
    connection: AsyncConnection, key: Key, watched_s: float, sites: Collection[int] | None = None
) -> None:
    """Count deadlines on that stood still."""
    row = RolloutDeviceRow
    query = update(row).where(*_before_switch(key, sites), row.left_s.is_not(None))
    await connection.execute(query.values(deadline_s=row.left_s + watched_s, left_s=None))


async def give_deadlines(connection: AsyncConnection, key: Key, deadline_s: float) -> None:
    """To devices that are under way without one: their hubs took them up again."""
    await connection.execute(update(RolloutDeviceRow).where(*_without_deadline(key)).values(deadline_s=deadline_s))


async def settle(connection: AsyncConnection, key: Key, waves: Collection[int], steps: Collection[str]) -> None:
    """What went wrong in these waves is taken as it is."""
    row = RolloutDeviceRow
    mine = row.tenant_id == key[0], row.rollout == key[1]
    await connection.execute(
        update(row).where(*mine, row.wave.in_(sorted(waves)), row.step.in_(sorted(steps))).values(settled=True)
    )


async def sites(connection: AsyncConnection, key: Key, *, without_deadline: bool = False) -> set[int]:
    """The sites that a rollout has devices at; those alone that have some for `give_deadlines` if it is so said."""
    row = RolloutDeviceRow
    mine = _without_deadline(key) if without_deadline else [row.tenant_id == key[0], row.rollout == key[1]]
    query = select(row.site_id).where(*mine).distinct()
    return set((await connection.execute(query)).scalars())


async def taken_over(connection: AsyncConnection, key: Key, reason: str) -> bool:
    """Whether nothing of a rollout is open, and devices of it were taken back for this reason."""
    row = RolloutDeviceRow
    mine = row.tenant_id == key[0], row.rollout == key[1]
    query = select(
        func.count().filter(row.step.in_(OPEN_STEPS)),
        func.count().filter(row.step == "withdrawn", row.reason == reason),
    )
    open_ones, taken = (await connection.execute(query.where(*mine))).one()
    return bool(taken and not open_ones)


def _without_deadline(key: Key) -> list[ColumnElement[bool]]:
    row = RolloutDeviceRow
    return [
        row.tenant_id == key[0],
        row.rollout == key[1],
        row.step.in_(OPEN_STEPS),
        row.step != "waiting",
        row.deadline_s.is_(None),
        row.left_s.is_(None),
    ]


def _before_switch(key: Key, sites: Collection[int] | None) -> list[ColumnElement[bool]]:
    row = RolloutDeviceRow
    mine = [row.tenant_id == key[0], row.rollout == key[1], row.step.in_(BEFORE_SWITCH)]
    return mine if sites is None else [*mine, row.site_id.in_(sorted(sites))]
