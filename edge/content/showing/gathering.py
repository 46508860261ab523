"""What a layout is filled with, asked of those who know: readings, machines, sources.
 Times are true UTC. How old a reading is follows from its age, not from its label. Where the clocks cannot tell
that (one side's was never set), the reading is left out, which is drawn as a dash, and a note says why. While
nothing has set the hub's clock a chart has what came since the machine's start, for among these the clock is
right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from edge.clock import Stamp
from edge.content.render.scene import AssetSaid, AssetWanted, ChartWanted, Datum, Given, SourceSaid, Wanted
from edge.devices.model import Device
from edge.errors import Conflict
from edge.wire.layouts import SELF

_UNSET = "Nothing has set this hub's clock (`outpost doctor`)"
CLOCK_UNSET = f"{_UNSET}: no time of day is shown, and no age or past from before its start."
HOURS_UNSET = f"{_UNSET}: days and hours are told by a clock that may be wrong."
SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US

Points = Sequence[tuple[int, float | None]]


class Newest(msgspec.Struct, frozen=True):
    """The newest value of a key, and how old it is; None where the clocks cannot tell."""

    value: float | int | str | bool | None
    age_s: float | None


class Readings(Protocol):
    """What devices measure."""

    def newest(self, device_id: str, key: str) -> Newest | None:
        """The newest value of a key."""

    async def series(self, device_id: str, key: str, from_us: int, to_us: int) -> Points:
        """What was measured from then until then, in order, thinned out where it is much."""


class Machines(Protocol):
    """How assets stand, and their figures."""

    async def said(self, wanted: AssetWanted, now_us: int) -> AssetSaid | None:
        """What is asked of one; None where there is no such asset."""


class SourcesSaid(Protocol):
    """What sources last said."""

    def said(self, source_id: str) -> SourceSaid | None:
        """One; None where it has said nothing."""


class Devices(Protocol):
    """Devices by what people call them."""

    def find(self, id_or_name: str) -> Device | None:
        """The device with this id or name. Raises Conflict for a name that several have."""


class Gathered(msgspec.Struct, frozen=True):
    """What there is, and what its reader should know. `missing`: those of the notes that say which devices are
    not here."""

    given: Given
    notes: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()


class Gathering:
    """Asks for what layouts want. `zone` and `site` are the hub's."""

    def __init__(
        self,
        readings: Readings,
        machines: Machines,
        sources: SourcesSaid,
        devices: Devices,
        *,
        zone: str,
        site: str,
    ) -> None:
        self._readings, self._machines, self._sources, self._devices = readings, machines, sources, devices
        self._zone = zone
        self._site: Callable[[], str] = lambda: site

    def name_site(self, named: Callable[[], str]) -> None:
        """What the site is called is asked here from now on."""
        self._site = named

    async def given(self, wanted: Wanted, device: Device, now: Stamp) -> Gathered:
        """What `wanted` asks for, as it is on this device's panel at this moment."""
        missing: set[str] = set()
        undated: set[str] = set()
        given = Given(
            now_us=now.at_us,
            clock_set=now.quality.good,
            zone=self._zone,
            site=self._site(),
            device=device.id,
            device_name=device.name,
            values=self._values(wanted, device, now, missing, undated),
            charts=await self._charts(wanted, device, now, missing),
            assets=await self._assets(wanted, now),
            sources=self._sources_said(wanted),
        )
        notes = sorted(missing)
        if not now.quality.good and (wanted.of_time or undated):
            notes.append(CLOCK_UNSET)
        elif undated:
            notes.append(f"Nobody can tell how old these are: {', '.join(sorted(undated))}.")
        return Gathered(given, tuple(notes), frozenset(missing))

    def _values(
        self, wanted: Wanted, device: Device, now: Stamp, missing: set[str], undated: set[str]
    ) -> dict[tuple[str, str], Datum]:
        found: dict[tuple[str, str], Datum] = {}
        for named, key in wanted.values:
            device_id = self._id(named, device, missing)
            newest = self._readings.newest(device_id, key) if device_id else None
            if newest is not None and newest.age_s is not None:
                found[named, key] = Datum(newest.value, now.at_us - int(newest.age_s * SECOND_US))
            elif newest is not None:
                undated.add(f"{key} of {named}")
        return found

    async def _charts(
        self, wanted: Wanted, device: Device, now: Stamp, missing: set[str]
    ) -> dict[ChartWanted, tuple[tuple[int, float | None], ...]]:
        found: dict[ChartWanted, tuple[tuple[int, float | None], ...]] = {}
        boot_us = now.at_us - now.mono_ms * 1000
        for chart in wanted.charts:
            device_id = self._id(chart.device, device, missing)
            if device_id:
                from_us = now.at_us - chart.hours * HOUR_US
                if not now.quality.good:  # what came before this start has another clock's time
                    from_us = max(from_us, boot_us)
                found[chart] = tuple(await self._readings.series(device_id, chart.key, from_us, now.at_us))
        return found

    async def _assets(self, wanted: Wanted, now: Stamp) -> dict[AssetWanted, AssetSaid]:
        said = {asset: await self._machines.said(asset, now.at_us) for asset in wanted.assets}
        return {asset: one for asset, one in said.items() if one is not None}

    def _sources_said(self, wanted: Wanted) -> dict[str, SourceSaid]:
        said = {source: self._sources.said(source) for source, _ in wanted.sources}
        return {source: one for source, one in said.items() if one is not None}

    def _id(self, named: str, device: Device, missing: set[str]) -> str:
        """The id of the device a layout names; '' where there is none, or nobody can tell which is meant."""
        if named == SELF:
            return device.id
        try:
            found = self._devices.find(named)
        except Conflict as several:
            missing.add(several.detail)
            return ""
        if found is None:
            missing.add(f"There is no device {named!r}.")
        return found.id if found is not None else ""
