"""The centre's tables answer what is asked of bands as lists of them do, for many assets and for few."""

from __future__ import annotations

import pytest

from cloud.assets import band_store, question_store
from cloud.assets.band_store import Mark
from cloud.assets.bands import CentreBands
from cloud.assets.definition_store import SiteKey
from edge.assets.model import Band
from tests.integration.centre.hubs import enrolled, site_of
from tests.running_centre import RunningCentre
from tests.unit.assets.bands_contract import answers_alike
from tests.unit.assets.plant import Plant


async def fill(centre: RunningCentre, site: SiteKey, plant: Plant, first: int) -> None:
    """Bands of the assets of a site, which have the numbers from `first` on."""
    async with centre.centre.db.write() as connection:
        for number, (asset, known) in enumerate(plant.bands.by_asset.items(), first):
            await band_store.add_mark(connection, site, Mark(asset=asset, number=number))
            await band_store.replace(connection, site, number, 0, list[Band](known))


async def test_tables_answer_as_lists_do(centre: RunningCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second site has assets with the same ids, and other bands."""
    plant, other = Plant(1), Plant(2)
    site, far = [await site_of(centre, await enrolled(centre)) for _ in range(2)]
    await fill(centre, (site.tenant_id, site.id), plant, 501)
    await fill(centre, (far.tenant_id, far.id), other, 601)
    bands = CentreBands(centre.centre.db, site.tenant_id)
    await answers_alike(bands, plant, lambda asset: (site.id, asset))
    monkeypatch.setattr(question_store, "ONE_BY_ONE", 1)
    await answers_alike(bands, other, lambda asset: (far.id, asset))
    assert await CentreBands(centre.centre.db, site.tenant_id + 1).edges([(site.id, "asset-1")], [2**50]) == {}
