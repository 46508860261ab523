"""A hub's tables answer what is asked of bands as lists of them do."""

from __future__ import annotations

from pathlib import Path

from edge.assets.following import bands_store
from edge.assets.following.band_queries_store import HubBands
from edge.bus import Bus
from edge.clock import ManualClock
from edge.store.database import Store
from edge.store.transaction import Transaction
from tests.unit.assets.bands_contract import answers_alike
from tests.unit.assets.plant import NOW, Plant


async def test_tables_answer_as_lists_do(tmp_path: Path) -> None:
    plant = Plant(1)
    store = Store(tmp_path, Bus(), ManualClock(NOW), free_floor_mb=0, ballast_mb=0)
    await store.open()

    def fill(tx: Transaction) -> None:
        for asset, known in plant.bands.by_asset.items():
            track = bands_store.new_track(tx, asset, current=True)
            bands_store.replace(tx, track, 0, map(bands_store.row, known))
            aside = bands_store.new_track(tx, asset, current=False)
            bands_store.replace(tx, aside, 0, map(bands_store.row, known[:5]))

    try:
        await store.readings.write(fill)
        await answers_alike(HubBands(store.readings, plant.bands), plant, str)
    finally:
        await store.close()
