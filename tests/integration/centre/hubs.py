"""Hubs of a test's centre, and what the centre has of them."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import and_, select

from cloud.db.models import FactRow, Site, StateRow, Stream
from cloud.db.reading_models import Reading, Series
from edge.wire.ledger import Fact
from tests.fakes.sync_hub import SyncHub
from tests.running_centre import RunningCentre

_names = itertools.count(1)


async def enrolled(centre: RunningCentre, **hub: Any) -> SyncHub:
    """A hub that speaks for a new site."""
    made = await centre.ask("POST", "/v1/sites", {"name": f"Site {next(_names)}"})
    assert made.status == 201, made
    one = SyncHub(centre.http, centre.url, **hub)
    await one.enrol(made.body["code"])
    return one


async def site_of(centre: RunningCentre, hub: SyncHub) -> Any:
    """The site's row."""
    async with centre.centre.db.read() as connection:
        return (await connection.execute(select(Site.__table__).where(Site.slug == hub.site))).one()


async def stream_of(centre: RunningCentre, hub: SyncHub, stream: str) -> Any:
    """A stream's row."""
    site = await site_of(centre, hub)
    query = select(Stream.__table__).where(Stream.site_id == site.id, Stream.stream == stream)
    async with centre.centre.db.read() as connection:
        return (await connection.execute(query)).one()


async def facts_of(centre: RunningCentre, hub: SyncHub) -> list[tuple[Any, ...]]:
    """All facts of the hub's site, by number and arrival."""
    site = await site_of(centre, hub)
    columns = [getattr(FactRow, name) for name in Fact.__struct_fields__]
    query = select(*columns).where(FactRow.site_id == site.id).order_by(FactRow.seq, FactRow.arrival)
    async with centre.centre.db.read() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def readings_of(centre: RunningCentre, hub: SyncHub) -> list[tuple[Any, ...]]:
    """All readings of the hub's site by number, in the columns of `held`."""
    site = await site_of(centre, hub)
    same = and_(
        Series.site_id == Reading.site_id, Series.epoch_no == Reading.epoch_no, Series.number == Reading.series
    )
    query = (
        select(Reading.__table__, Series.device, Series.key)
        .join_from(Reading, Series, same)
        .where(Reading.site_id == site.id)
        .order_by(Reading.seq, Reading.epoch_no)
    )
    async with centre.centre.db.read() as connection:
        rows = (await connection.execute(query)).all()
    return [
        (
            row.seq,
            f"{row.device}.{row.key}",
            row.at_us,
            row.num if row.text is None else row.text,
            *(row.kind, row.quality, row.late_us, row.boot, row.mono_ms),
        )
        for row in rows
    ]


def held(hub: SyncHub) -> list[tuple[Any, ...]]:
    """The hub's readings, each with what it measures in place of a number."""
    names = {number: f"{device}.{key}" for (device, key), number in hub.series.items()}
    return [(row[0], names[row[1]], *row[2:]) for row in hub.readings]


async def states_of(centre: RunningCentre, hub: SyncHub) -> dict[tuple[str, str], str]:
    """The view of each kind and id."""
    site = await site_of(centre, hub)
    query = select(StateRow.kind, StateRow.id, StateRow.view).where(StateRow.site_id == site.id)
    async with centre.centre.db.read() as connection:
        return {(row.kind, row.id): row.view for row in await connection.execute(query)}


async def chain_of(centre: RunningCentre, hub: SyncHub) -> dict[str, Any]:
    """What the centre says of the hub's ledger."""
    answer = await centre.get(f"/v1/sites/{hub.site}/chain")
    assert answer.status == 200, answer
    return dict(answer.body)
