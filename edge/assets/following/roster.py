"""Who is followed: every asset as it is defined now, and the calendar of the site. One that is removed is wired to
nothing from then on; what was before may still come late.

Where a definition or the calendar is another than that by which bands were made, what has to be made anew is owed
(marks.py); so it does not matter whether the change was seen as it happened or is found at the next start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol
from zoneinfo import ZoneInfo

from edge.assets.deriving import Asset
from edge.assets.following.bands_store import Mark
from edge.assets.following.evidence import Key, earliest, keys_of
from edge.assets.following.following import Followed
from edge.assets.following.keeping import Loaded
from edge.assets.following.making import Calendar
from edge.assets.following.marks import laid_by, made_by
from edge.assets.planning import planned
from edge.wire.assets import AssetRules, PlannedView


class Defined(Protocol):
    """An asset as it is defined."""

    @property
    def asset(self) -> Asset:
        """What bands are made by."""


class Definitions(Protocol):
    """Who knows how assets are defined."""

    def all(self, *, removed: bool = False) -> Iterable[Defined]:
        """Every asset."""

    def find(self, asset_id: str) -> Defined | None:
        """The asset with this id."""

    def rules(self) -> AssetRules:
        """What holds for all of them."""


class Roster:
    """Assets by id and by device."""

    def __init__(self, definitions: Definitions, zone: ZoneInfo) -> None:
        self._definitions, self._zone = definitions, zone
        self._followed: dict[str, Followed] = {}
        self._by_device: dict[str, list[Followed]] = {}
        self._marks: dict[str, Mark] = {}  # of those that are not followed yet
        self._tracks: dict[str, int] = {}
        self._planned: list[PlannedView] = []
        self.calendar = Calendar((), zone)

    def load(self, loaded: Loaded) -> None:
        """Take what is on disk, and nothing else."""
        self._followed, self._by_device = {}, {}
        self._marks, self._tracks = loaded.marks, loaded.tracks

    def __iter__(self) -> Iterator[Followed]:
        return iter(self._followed.values())

    def find(self, asset_id: str) -> Followed | None:
        """The asset with this id, if it is followed."""
        return self._followed.get(asset_id)

    def of_device(self, device_id: str) -> list[Followed]:
        """Those that a device tells of or ever told of."""
        return self._by_device.get(device_id, [])

    def keys(self) -> set[Key]:
        """All keys that tell of any of them."""
        return {key for one in self for key in keys_of(one.asset)}

    def owe(self, times: Mapping[Key, int]) -> None:
        """Bands may lack readings of these keys from these times on."""
        for key, at_us in times.items():
            for one in self.of_device(key[0]):
                one.told(key, at_us)

    def look(self, asset_id: str, since_us: int) -> None:
        """An asset is new or defined otherwise, which differs from a time on."""
        found = self._definitions.find(asset_id)
        if found is not None:
            self._take(found.asset, since_us, None)
            self._index()

    def look_at_all(self, planned_from_us: int | None = None) -> None:
        """Anything may be defined otherwise. `planned_from_us`: from when on planned time may differ."""
        self._planned = list(self._definitions.rules().planned)
        self.calendar = Calendar(tuple(planned(self._planned)), self._zone)
        for one in self._definitions.all(removed=True):
            self._take(one.asset, 0, planned_from_us)
        self._index()

    def _take(self, asset: Asset, since_us: int, laid_from_us: int | None) -> None:
        one = self._followed.get(asset.id) or self._begin(asset)
        wanted = made_by(asset), laid_by(asset, self._planned, self._zone)
        if wanted == one.wanted:
            return
        if one.wanted[0] != wanted[0]:
            one.owe(since_us)
        if one.wanted[1] != wanted[1]:
            one.edge_us = 0
            if one.track and (laid_from_us is None or laid_from_us < one.upto_us):
                one.aside_us = earliest((one.aside_us, one.upto_us))
        one.wanted = wanted
        one.define(asset)

    def _begin(self, asset: Asset) -> Followed:
        """Follow an asset from where its mark says; the band it is in is looked up as the next are made."""
        mark = self._marks.pop(asset.id, Mark(asset=asset.id))
        one = Followed(asset, self._tracks.get(asset.id, 0), mark.upto_us)
        one.wanted = one.by = mark.made_by, mark.laid_by
        one.evidence_us = mark.evidence_us
        one.owe(mark.upto_us if mark.owed_us is None else min(mark.upto_us, mark.owed_us))
        self._followed[asset.id] = one
        return one

    def _index(self) -> None:
        self._by_device = {}
        for one in self:
            for device in {wiring.device for wiring in one.asset.wirings}:
                self._by_device.setdefault(device, []).append(one)
