"""A year of what many assets did, written into a centre's database as its worker leaves it there.

The bands of one site are counted by the real code over random runs and stops; the other sites did the same.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec
from sqlalchemy import insert, text

from cloud.assets import band_store
from cloud.assets.band_store import Mark
from cloud.db.database import Database
from cloud.db.models import Site, StateRow
from edge.assets.deriving import Asset, Wiring
from edge.assets.model import SECOND_US, Band, Segment, State, bands
from edge.wire.assets import AssetRules, ReasonView, ShiftView
from tests.integration.centre.asset_hubs import view_of

SITES, ASSETS, BANDS = 10, 20, 25_000  # assets of each site, bands of each asset
YEAR_US = 365 * 86_400 * SECOND_US
MEAN_US = YEAR_US // BANDS
SHORT_US = 300 * SECOND_US
RULES = AssetRules(
    timezone="Europe/Paris",
    reasons=[ReasonView(id="jam", name="Jam")],
    shifts=[ShiftView(id="early", name="Early", begins="06:00", ends="14:00")],
)


async def fill(database: Database, now_us: int) -> int:
    """All of it; how many bands there are."""
    async with database.write() as connection:
        for site in range(1, SITES + 1):
            await connection.execute(insert(Site), [_site(site, now_us)])
            await connection.execute(insert(StateRow), _states(site, now_us))
        for number in range(1, ASSETS + 1):
            mark = Mark(asset=_id(1, number), number=number, upto_us=now_us)
            await band_store.add_mark(connection, (1, 1), mark)
            await band_store.replace(connection, (1, 1), number, 0, _year(number, now_us - YEAR_US, now_us))
    columns = ", ".join(column.key for column in band_store.COLUMNS)
    for site in range(2, SITES + 1):
        async with database.write() as connection:
            for number in range(1, ASSETS + 1):
                mark = Mark(asset=_id(site, number), number=_number(site, number), upto_us=now_us)
                await band_store.add_mark(connection, (1, site), mark)
            more = (
                f"INSERT INTO asset_bands (tenant_id, site_id, asset, {columns})"
                f" SELECT tenant_id, :site, asset + :by, {columns} FROM asset_bands WHERE site_id = 1"
            )
            await connection.execute(text(more), {"site": site, "by": ASSETS * (site - 1)})
    async with database.writer.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        # PostgreSQL does so by itself, some minutes after so much was written
        await plain.execute(text("ANALYZE" if database.sqlite else "VACUUM ANALYZE asset_bands"))
        counted = await connection.execute(text("SELECT count(*) FROM asset_bands"))
        return int(counted.scalar_one())


def _year(seed: int, from_us: int, to_us: int) -> list[Band]:
    rng = random.Random(seed)
    rest, at_us, state = [Segment(from_us, State.RUNNING, True)], from_us, State.RUNNING
    while len(rest) < BANDS:
        at_us += round(MEAN_US * rng.uniform(0.2, 1.8))
        state = State.STOPPED if state is State.RUNNING else State.RUNNING
        if at_us >= to_us:
            break
        rest.append(Segment(at_us, state))
    return list(bands(None, rest, [], SHORT_US, (from_us, to_us)))


def _id(site: int, number: int) -> str:
    return f"asset-{site:02}-{number:02}"


def _number(site: int, number: int) -> int:
    return ASSETS * (site - 1) + number


def _site(site: int, now_us: int) -> dict[str, Any]:
    return {
        "tenant_id": 1,
        "id": site,
        "slug": f"site-{site}",
        "name": f"Site {site}",
        "state": "active",
        "created_us": now_us,
        "created_by": "bench",
        "session": 1,
        "seen_us": now_us,
        "timezone": RULES.timezone,
    }


def _states(site: int, now_us: int) -> list[dict[str, Any]]:
    told: list[tuple[str, str, str, object]] = [("asset_rules", "rules", "", RULES)]
    for number in range(1, ASSETS + 1):
        asset = Asset(
            id=_id(site, number), silent_s=180, short_stop_s=300, wirings=(Wiring(0, f"log-{number}", "in1"),)
        )
        told.append(("asset", asset.id, f"log-{number}", view_of(asset, line=f"Line {number % 4}")))
    return [
        {
            "tenant_id": 1,
            "site_id": site,
            "kind": kind,
            "id": of,
            "device": device,
            "session": 1,
            "version": 1,
            "at_us": now_us,
            "received_us": now_us,
            "change": 1000 * site + number,
            "txid": 0,
            "view": msgspec.json.encode(view).decode(),
        }
        for number, (kind, of, device, view) in enumerate(told)
    ]
