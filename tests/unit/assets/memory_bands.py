"""Readings, bands and what was said, in lists: what a hub and the centre keep in tables, for tests of what is pure.

`Watched` is one asset whose bands are worked out as its readings arrive, by the code that hub and centre run.
"""

from __future__ import annotations

import bisect
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from edge.assets.answers.asking import Explanation, StopRow
from edge.assets.calendar import Planned, planned_spans
from edge.assets.deriving import Asset, Wiring, derive
from edge.assets.model import ALIVE, Band, Heard, Span, said
from tests.unit.assets.reference import Reading

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never has to wait."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits for something")


class MemoryEvidence:
    """What loggers said, in the order of its arrival."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []

    async def heard(self, wiring: Wiring, span: Span) -> Sequence[Heard]:
        """As `deriving.Evidence` says."""
        found = [one for one in self._of(wiring) if span[0] <= one.at_us < span[1]]
        found.sort(key=lambda one: (one.at_us, one.key != ALIVE))
        return [_heard(one, wiring) for one in found]

    async def statement_at(self, wiring: Wiring, at_us: int) -> int | None:
        """As `deriving.Evidence` says."""
        return max((r.at_us for r in self._of(wiring) if r.key != ALIVE and r.at_us <= at_us), default=None)

    async def evidence_before(self, wiring: Wiring, at_us: int) -> int | None:
        """As `deriving.Evidence` says."""
        return max((r.at_us for r in self._of(wiring) if r.at_us < at_us), default=None)

    async def alive_before(self, wiring: Wiring, at_us: int) -> float | None:
        """As `deriving.Evidence` says."""
        found = [r for r in self._of(wiring) if r.key == ALIVE and r.at_us < at_us]
        found.sort(key=lambda one: one.at_us)
        return float(found[-1].value) if found else None

    def _of(self, wiring: Wiring) -> Iterable[Reading]:
        return (r for r in self.readings if r.device == wiring.device and r.key in (wiring.input, ALIVE))


class MemoryBands:
    """Bands of assets by their ids; `said` is what was said, in order."""

    def __init__(self) -> None:
        self.by_asset: dict[str, list[Band]] = {}
        self.said: list[Explanation[str]] = []
        self.lookups = 0

    async def edges(self, assets: Sequence[str], times: Sequence[int]) -> Mapping[tuple[str, int], Band]:
        """As `asking.Bands` says."""
        self.lookups += 1
        return {
            (key, at): band for key in assets for at in times if (band := self.last_before(key, at)) is not None
        }

    async def ends(
        self, assets: Sequence[str], spans: Sequence[Span]
    ) -> Mapping[tuple[str, Span], tuple[int, int]]:
        """As `asking.Bands` says."""
        self.lookups += 1
        return {(key, span): self._ends(key, span) for key in assets for span in spans}

    async def between(self, asset: str, span: Span, limit: int) -> list[Band]:
        """As `asking.Bands` says."""
        self.lookups += 1
        return [band for band in self.by_asset.get(asset, ()) if span[0] <= band.at_us < span[1]][:limit]

    async def stops(
        self, assets: Sequence[str], span: Span, before: tuple[int, str] | None, limit: int
    ) -> list[StopRow[str]]:
        """As `asking.Bands` says."""
        self.lookups += 1
        rows = [row for key in assets for row in self._stops(key) if span[0] <= row.began_us < span[1]]
        rows = [row for row in rows if before is None or (row.began_us, row.key) < before]
        return sorted(rows, key=lambda row: (row.began_us, row.key), reverse=True)[:limit]

    async def explanations(self, assets: Sequence[str], span: Span) -> list[Explanation[str]]:
        """As `asking.Bands` says."""
        self.lookups += 1
        return [one for one in self.said if one.key in assets and one.from_us < span[1] and span[0] < one.to_us]

    def last_before(self, asset: str, at_us: int) -> Band | None:
        """The last band of an asset that begins before a time."""
        bands = self.by_asset.get(asset, [])
        index = bisect.bisect_left(bands, at_us, key=lambda band: band.at_us)
        return bands[index - 1] if index else None

    def _ends(self, key: str, span: Span) -> tuple[int, int]:
        ending = [b for b in self.by_asset.get(key, ()) if b.ends_stop and span[0] < b.at_us < span[1]]
        within = max((band.stopped_us for band in ending if band.began_us >= span[0]), default=0)
        across = max((band.stopped_us for band in ending if band.began_us < span[0]), default=0)
        return within, across

    def _stops(self, key: str) -> Iterable[StopRow[str]]:
        last: dict[int, Band] = {band.began_us: band for band in self.by_asset.get(key, []) if band.began_us}
        for began_us, band in last.items():
            yield StopRow(
                key=key,
                began_us=began_us,
                ended_us=band.at_us if band.ends_stop else None,
                stopped_us=band.stopped_us,
                seen=not band.anew,
            )


class Watched:
    """An asset whose bands are worked out as its readings arrive."""

    def __init__(
        self, asset: Asset, planned: Sequence[Planned], zone: Any, bands: MemoryBands | None = None
    ) -> None:
        self.asset, self._planned, self._zone = asset, planned, zone
        self.evidence, self.bands = MemoryEvidence(), bands or MemoryBands()
        self.upto_us = asset.wirings[0].from_us
        self.bands.by_asset[asset.id] = []

    @property
    def known(self) -> list[Band]:
        """Its bands."""
        return self.bands.by_asset[self.asset.id]

    def hear(self, readings: Iterable[Reading], now_us: int) -> None:
        """Readings arrive."""
        new = list(readings)
        self.evidence.readings += new
        self.work_out(min((reading.at_us for reading in new), default=now_us), now_us)

    def work_out(self, since_us: int, now_us: int) -> None:
        """Work out what follows from what is new since a time."""
        derived = run(
            derive(
                self.asset,
                (min(since_us, self.upto_us), now_us),
                self.evidence,
                self._last_before,
                self._planned_in,
            )
        )
        kept = [band for band in self.known if band.at_us < derived.from_us]
        self.bands.by_asset[self.asset.id] = kept + derived.bands
        self.upto_us = now_us

    async def _last_before(self, at_us: int) -> Band | None:
        return self.bands.last_before(self.asset.id, at_us)

    def _planned_in(self, span: Span) -> list[Span]:
        return planned_spans(self._planned, self.asset.id, self._zone, span)


def _heard(reading: Reading, wiring: Wiring) -> Heard:
    if reading.key == ALIVE:
        return Heard(reading.at_us, alive_s=float(reading.value))
    return Heard(reading.at_us, said(reading.value, inverted=wiring.inverted))
