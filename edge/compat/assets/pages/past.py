"""What there was of machines, as the older pages list it: ends of runs and of stops, newest first, page by page.

The pages want a number of all events and any page of them. Bands carry running counts, so how many events there are
between two moments is a difference; the moments between which a page lies are found by counting, a few questions
for years, and then only that page is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic

import msgspec

from edge.assets.answers.asking import Bands
from edge.assets.figures import edge
from edge.assets.model import Band, Span, State, Sums
from edge.compat.assets.pages.plant import K, Machine

RUN_END, STOP_END = "RUN_END", "STOP_END"  # as the older server named them
KINDS = frozenset({RUN_END, STOP_END})
PROBES = 31  # moments asked for at once: a span of years is narrowed to seconds in some eight questions
SLACK = 100  # events read beside a page, rather than narrowing further
BANDS = 500  # read at a time


class Happened(msgspec.Struct, Generic[K], frozen=True):
    """The end of a run, or of a stop: `band` begins there; `before` is the one that ended, None for none."""

    machine: Machine[K]
    band: Band
    before: Band | None

    @property
    def kind(self) -> str:
        """RUN_END or STOP_END."""
        return _kind(self.band)

    @property
    def stop(self) -> Span:
        """The stop that begins, or ended, here; of one that begins its first moment."""
        at_us = self.band.at_us
        return (self.band.began_us, at_us) if self.kind == STOP_END else (at_us, at_us + 1)

    @property
    def lasted_us(self) -> int | None:
        """How long what ended had been; None for a run whose begin nobody saw."""
        if self.kind == STOP_END:
            return self.band.stopped_us
        if self.before is None or self.before.state is not State.RUNNING:
            return None
        return self.band.at_us - self.before.at_us


class Past(Generic[K]):
    """Reads it from bands."""

    def __init__(self, bands: Bands[K]) -> None:
        self._bands = bands

    async def sums(self, machines: Sequence[Machine[K]], times: Sequence[int]) -> Mapping[tuple[K, int], Sums]:
        """The sums of each machine before each time."""
        found = await self._bands.edges([machine.key for machine in machines], times) if machines else {}
        return {
            (machine.key, at_us): edge(found.get((machine.key, at_us)), at_us).sums
            for machine in machines
            for at_us in times
        }

    async def within(self, machines: Sequence[Machine[K]], spans: Sequence[Span]) -> Mapping[tuple[K, Span], Sums]:
        """What there was of each machine in each span."""
        times = sorted({at_us for span in spans for at_us in span})
        sums = await self.sums(machines, times)
        return {
            (machine.key, span): sums[machine.key, span[1]] - sums[machine.key, span[0]]
            for machine in machines
            for span in spans
        }

    async def page(
        self,
        machines: Sequence[Machine[K]],
        span: Span,
        offset: int,
        limit: int,
        kinds: frozenset[str] = KINDS,
    ) -> tuple[list[Happened[K]], int]:
        """Events of a span, newest first, behind the first `offset`; and how many there are in all."""
        counting = _Counting(self, machines, kinds)
        before, upto = await counting.at(span)
        total = upto - before
        if offset >= total or limit <= 0:
            return [], total
        first = upto - min(total, offset + limit)  # events up to here lie before the page
        begin_us = (await counting.around(first, span, (before, upto)))[0]
        end_us = span[1] if not offset else (await counting.around(upto - offset - 1, span, (before, upto)))[1]
        behind = (await counting.at((end_us, span[1])))[0]
        found = await self._events(machines, (begin_us, end_us), kinds)
        found.sort(key=lambda one: (one.band.at_us, str(one.machine.key)), reverse=True)
        skipped = offset - (upto - behind)
        return await self._with_befores(found[skipped : skipped + limit]), total

    async def _events(self, machines: Sequence[Machine[K]], span: Span, kinds: frozenset[str]) -> list[Happened[K]]:
        within, found = await self.within(machines, [span]), []
        for machine in machines:
            if _count(within[machine.key, span], kinds):
                bands = await self._between(machine.key, span)
                found += [Happened(machine, band, None) for band in bands if _kind(band) in kinds]
        return found

    async def _between(self, key: K, span: Span) -> list[Band]:
        found: list[Band] = []
        while True:
            bands = await self._bands.between(key, span, BANDS)
            found += bands
            if len(bands) < BANDS:
                return found
            span = bands[-1].at_us + 1, span[1]

    async def _with_befores(self, found: list[Happened[K]]) -> list[Happened[K]]:
        keys = list({one.machine.key for one in found})
        times = sorted({one.band.at_us for one in found})
        befores = await self._bands.edges(keys, times) if found else {}
        return [Happened(one.machine, one.band, befores.get((one.machine.key, one.band.at_us))) for one in found]


class _Counting(Generic[K]):
    """Counts the events of machines before moments."""

    def __init__(self, past: Past[K], machines: Sequence[Machine[K]], kinds: frozenset[str]) -> None:
        self._past, self._machines, self._kinds = past, machines, kinds

    async def at(self, times: Sequence[int]) -> list[int]:
        """How many there are before each."""
        sums = await self._past.sums(self._machines, times)
        return [sum(_count(sums[machine.key, at_us], self._kinds) for machine in self._machines) for at_us in times]

    async def around(self, number: int, span: Span, counted: tuple[int, int]) -> Span:
        """Moments of a span between which the event behind `number` others lies, with SLACK others at most where
        several are not of the same moment. `counted`: how many there are before its begin and its end."""
        (low_us, high_us), (low, high) = span, counted
        while high - low > SLACK and high_us - low_us > 1:
            step = max(1, (high_us - low_us) // (PROBES + 1))
            probes = [at_us for at_us in range(low_us + step, high_us, step)][: PROBES + 1]
            for at_us, count in zip(probes, await self.at(probes), strict=True):
                if count <= number:
                    low_us, low = at_us, count
                else:
                    high_us, high = at_us, count
                    break
        return low_us, high_us


def _kind(band: Band) -> str:
    """What happened where a band begins, '' where neither a run nor a stop that counts was seen to end."""
    if band.ends_stop and not band.anew:
        return STOP_END
    return RUN_END if band.state is State.STOPPED and band.began_us == band.at_us else ""


def _count(sums: Sums, kinds: frozenset[str]) -> int:
    return (sums.stops if RUN_END in kinds else 0) + (sums.ended_stops if STOP_END in kinds else 0)
