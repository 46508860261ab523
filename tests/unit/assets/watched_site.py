"""Assets of a hub with what follows from readings: real files, a clock that is moved by hand, and restarts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from edge.assets.calendar import planned_spans
from edge.assets.deriving import derive
from edge.assets.following import bands_store
from edge.assets.following.band_queries_store import HubBands
from edge.assets.following.bands_store import COLUMNS
from edge.assets.following.following import Followed
from edge.assets.following.inputs import NewInputs
from edge.assets.following.keeping import Keeping
from edge.assets.following.roster import Roster
from edge.assets.following.watch import Watch
from edge.assets.model import Band
from edge.assets.planning import planned
from edge.clock import ManualClock
from edge.devices.model import Device
from edge.parts.asset_readings import AssetReadings, Loggers
from edge.store.boot_clock import BootClock
from edge.telemetry.folding import Folding, Keep
from edge.telemetry.model import CLOCK_SET_US
from edge.telemetry.redating import Redating
from edge.telemetry.telemetry import Telemetry
from tests.unit.assets.asset_site import KOLKATA, AssetSite
from tests.unit.assets.memory_bands import MemoryEvidence
from tests.unit.assets.reference import Reading

KEEP = Keep(readings_days=31, rollups_days=365, readings_mb=1000)


class WatchedSite(AssetSite):
    """An asset site that loggers tell of."""

    def __init__(self, folder: Path, clock: ManualClock, keep: Keep = KEEP) -> None:
        super().__init__(folder, clock)
        store = self.store
        self.telemetry = Telemetry(store, self.bus, clock, KOLKATA)
        self.folding = Folding(self.telemetry, store, clock, KOLKATA, keep)
        self.redating = Redating(store, KOLKATA)
        self.boot_clock = BootClock(store, clock)
        loggers = Loggers(self.registry, self.telemetry)
        self.keeping = Keeping(store.readings, AssetReadings(self.telemetry.series))
        self.roster = Roster(self.assets, KOLKATA)
        inputs = NewInputs(self.assets, loggers.may_be_input, loggers.known)
        self.watch = Watch(self.keeping, self.bus, clock, self.roster, inputs, keep_days=keep.rollups_days)
        self.bands = HubBands(store.readings, self.assets)
        self.telemetry.follow_with(self.watch.hear)
        self.redating.tell(self.watch.readings_moved)

    async def start(self) -> None:
        """As the hub starts its parts."""
        await self.registry.start()
        await self.boot_clock.start()
        await self.redating.start()
        await self.telemetry.start()
        await self.assets.start()
        await self.watch.start()

    async def set_clock(self, at_us: int) -> None:
        """A time server sets the clock, and the hub sees it."""
        self.clock.at_us, self.clock.quality = at_us, self.clock.quality.NTP
        await self.boot_clock.look()
        await self.redating.move()

    async def fold(self) -> None:
        """Take all readings into history."""
        while self.telemetry.unfolded:
            await self.folding.fold()

    def followed(self, asset_id: str) -> Followed:
        """What the watch knows of an asset."""
        found = self.roster.find(asset_id)
        assert found is not None
        return found

    async def kept(self, asset_id: str) -> list[Band]:
        """The bands on disk."""
        rows = await self.store.readings.read(
            f"SELECT {COLUMNS} FROM asset_bands JOIN asset_tracks ON id = track WHERE asset = ? AND current"
            " ORDER BY at_us",
            (asset_id,),
        )
        return [bands_store.band(tuple(row)) for row in rows]

    async def longest(self, asset_id: str) -> tuple[dict[int, int], dict[int, int]]:
        """The longest stop that ended on each day, as it is noted, and by the bands."""
        rows = await self.store.readings.read(
            "SELECT day_us, stopped_us FROM asset_longest JOIN asset_tracks ON id = track"
            " WHERE asset = ? AND current",
            (asset_id,),
        )
        found: dict[int, int] = {}
        for band in await self.kept(asset_id):
            if band.ends_stop:
                day_us = band.at_us // bands_store.DAY_US * bands_store.DAY_US
                found[day_us] = max(found.get(day_us, 0), band.stopped_us)
        return {row[0]: row[1] for row in rows}, found

    async def from_scratch(self, asset_id: str) -> list[Band]:
        """The bands that follow from all readings there are, worked out in one go."""
        definition, evidence = self.assets.get(asset_id), MemoryEvidence()
        rows = await self.store.readings.read(
            "SELECT device_id, key, at_us, value, kind FROM dated JOIN series ON series.id = series_id ORDER BY seq"
        )
        evidence.readings = [
            Reading(at_us=at_us, device=device, key=key, value=bool(value) if kind == 1 else value)
            for device, key, at_us, value, kind in rows
            if at_us >= CLOCK_SET_US
        ]
        rules = planned(self.assets.rules().planned)

        async def nothing_before(at_us: int) -> Band | None:
            return None

        derived = await derive(
            definition.asset,
            (0, self.followed(asset_id).upto_us),
            evidence,
            nothing_before,
            lambda span: planned_spans(rules, asset_id, KOLKATA, span),
        )
        return derived.bands

    async def machine(self, device: Device, name: str = "Press", **more: object) -> str:
        """An asset whose input has told of it for ever."""
        return await self.press(device, name, at="2025-01-01T00:00:00Z", **more)


@contextlib.asynccontextmanager
async def watched(folder: Path, clock: ManualClock, keep: Keep = KEEP) -> AsyncIterator[WatchedSite]:
    """The site with everything loaded; left, it is as after a power cut: nothing is saved on the way out."""
    site = WatchedSite(folder, clock, keep)
    await site.store.open()
    try:
        await site.start()
        yield site
    finally:
        await site.store.close()
