"""The only SQL for what of rollouts there is to do, for the clock they are judged by, and for where devices are."""

from __future__ import annotations

from collections.abc import Collection
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics.rollups import zone_named
from cloud.db.models import Site, StateRow
from cloud.db.update_models import (
    RolloutClock,
    RolloutDue,
)

SITES = 500  # in one statement
_NOW_US = text("SELECT (extract(epoch from clock_timestamp()) * 1000000)::bigint")
Key = tuple[int, str]
"""Tenant and rollout."""
DeviceKey = tuple[int, str]
"""Site and device."""


async def add_due(connection: AsyncConnection, keys: Collection[Key]) -> None:
    """Something came in that these are to be judged by."""
    if not keys:
        return
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = kind.insert(RolloutDue)
    statement = statement.on_conflict_do_update(
        index_elements=[RolloutDue.tenant_id, RolloutDue.rollout], set_={"n": RolloutDue.n + 1}
    )
    await connection.execute(statement, [{"tenant_id": key[0], "rollout": key[1], "n": 1} for key in sorted(keys)])


async def dues(connection: AsyncConnection) -> list[tuple[Key, int]]:
    """What is to be judged, with how often it was added."""
    query = select(RolloutDue.tenant_id, RolloutDue.rollout, RolloutDue.n)
    return [((row[0], row[1]), row[2]) for row in await connection.execute(query)]


async def done(connection: AsyncConnection, key: Key, n: int) -> None:
    """It was judged; it stays due where more was added since."""
    of = RolloutDue
    await connection.execute(delete(of).where(of.tenant_id == key[0], of.rollout == key[1], of.n == n))


async def watched_s(connection: AsyncConnection) -> float:
    """The rollouts' clock as it stood at the last look; 0 before the first."""
    found = (await connection.execute(select(RolloutClock.watched_s))).scalar_one_or_none()
    return 0.0 if found is None else float(found)


async def lock_sites(connection: AsyncConnection, sites: Collection[int]) -> None:
    """The rows of these sites, for this transaction alone. What hubs tell has its site's row before any of its
    devices, so whoever changes devices takes that first too; in one order, so that no two wait for each other."""
    some = sorted(sites)
    for at in range(0, len(some), SITES):
        query = select(Site.id).where(Site.id.in_(some[at : at + SITES])).order_by(Site.id)
        await connection.execute(query.with_for_update())


async def tick(connection: AsyncConnection, now_us: int, most_s: float) -> float:
    """Let the rollouts' clock go on to now, by `most_s` at most since the last look; what it shows.

    Several instances look, each with a clock of its own: on PostgreSQL the database says what time it is, and a
    look that seems to be from before the last one counts nothing and leaves that as it is.
    """
    if connection.dialect.name != "sqlite":
        now_us = int((await connection.execute(_NOW_US)).scalar_one())
    query = select(RolloutClock.watched_s, RolloutClock.seen_us).with_for_update()
    row = (await connection.execute(query)).first()
    if row is None:
        kind = sqlite if connection.dialect.name == "sqlite" else postgresql
        first = kind.insert(RolloutClock).values(id=1, watched_s=0.0, seen_us=now_us)
        await connection.execute(first.on_conflict_do_nothing())
        return 0.0
    passed_s = (now_us - row.seen_us) / 1e6
    if -most_s <= passed_s <= 0:
        return float(row.watched_s)
    shows = float(row.watched_s) + (passed_s if 0 < passed_s <= most_s else 0.0)
    await connection.execute(update(RolloutClock).values(watched_s=shows, seen_us=now_us))
    return shows


class Places(msgspec.Struct, frozen=True):
    """Sites: the timezone of each, and the devices that their hubs tell of."""

    timezones: dict[int, str]
    devices: frozenset[DeviceKey]

    def zones(self) -> dict[int, ZoneInfo]:
        """The timezones, as far as this machine knows them."""
        return {site: zone_named(name) for site, name in self.timezones.items()}


async def places(
    connection: AsyncConnection, tenant_id: int, sites: Collection[int], *, devices: bool = True
) -> Places:
    """What is known of these sites."""
    some = sorted(sites)
    zones = select(Site.id, Site.timezone).where(Site.tenant_id == tenant_id, Site.id.in_(some))
    timezones = {row[0]: row[1] for row in await connection.execute(zones)}
    told = select(StateRow.site_id, StateRow.id).where(
        StateRow.tenant_id == tenant_id, StateRow.kind == "device", StateRow.site_id.in_(some), StateRow.view != ""
    )
    found = frozenset((row[0], row[1]) for row in await connection.execute(told)) if devices else frozenset()
    return Places(timezones, found)
