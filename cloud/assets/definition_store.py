"""The only SQL that reads what a site's bands are made by: its states of assets and their rules."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.assets.definitions import ASSET, RULES
from cloud.assets.made import Made, all_made
from cloud.db.models import Site, StateRow, Stream
from cloud.sync.set_aside import SiteKey as SiteKey
from cloud.sync.stream_store import READINGS
from edge.wire.assets import ASSETS_MAX

SITES_KEPT = 2_000  # whose definitions an instance remembers; the one longest not asked for goes first


class Definitions:
    """The definitions of sites, remembered while they stay as they are."""

    def __init__(self) -> None:
        self._known: OrderedDict[SiteKey, tuple[int, list[Made]]] = OrderedDict()

    async def of(self, connection: AsyncConnection, site: SiteKey) -> list[Made]:
        """Those of a site, removed assets too."""
        number = await watched(connection, site)
        known = self._known.get(site)
        if known is None or known[0] != number:
            known = self._known[site] = number, await definitions(connection, site)
        self._known.move_to_end(site)
        if len(self._known) > SITES_KEPT:
            self._known.popitem(last=False)
        return known[1]


async def definitions(connection: AsyncConnection, site: SiteKey) -> list[Made]:
    """What the bands of all assets of a site are made by, removed ones too."""
    mine = StateRow.tenant_id == site[0], StateRow.site_id == site[1]
    told = select(StateRow.kind, StateRow.id, StateRow.view).where(*mine, StateRow.view != "")
    rules = (await connection.execute(told.where(StateRow.kind == RULES))).all()
    assets = told.where(StateRow.kind == ASSET).order_by(StateRow.id).limit(ASSETS_MAX)
    states = [(row[0], row[1], row[2]) for row in [*rules, *(await connection.execute(assets)).all()]]
    zone = select(Site.timezone).where(Site.tenant_id == site[0], Site.id == site[1])
    timezone = (await connection.execute(zone)).scalar_one_or_none() or "UTC"
    return await asyncio.to_thread(all_made, states, timezone)


async def watched(connection: AsyncConnection, site: SiteKey) -> int:
    """Another number whenever they have changed; 0 before there was any."""
    query = select(Stream.watched).where(
        Stream.tenant_id == site[0], Stream.site_id == site[1], Stream.stream == READINGS
    )
    return (await connection.execute(query)).scalar_one_or_none() or 0
