"""Works the bands of one asset out anew, a step at a time, each bounded in readings and in what the calendar says.
They are held in memory until all is done: nobody ever sees sums of which some are old and some new.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

import msgspec

from cloud.assets.evidence import AssetEvidence, SiteReadings
from cloud.assets.made import DAY_US, Made
from edge.assets.deriving import derive
from edge.assets.model import SECOND_US, Band, Span, State, Tail, bands, raw_segments

STEP_US = 7 * DAY_US  # of readings in memory at once: 60,000 where a logger says every 10 s that it lives


class Stored(Protocol):
    """The bands of the asset that there are."""

    async def last_before(self, at_us: int) -> Band | None:
        """The last that begins before a time."""

    async def first_at(self) -> int | None:
        """When the first begins."""

    async def all(self) -> list[Band]:
        """Every one, in order of time."""


class Derivation:
    """The bands of an asset from `from_us` on, as they are now. `tail`: how its last wiring stands."""

    def __init__(self, made: Made, readings: SiteReadings, stored: Stored) -> None:
        self._made, self._readings, self._stored = made, readings, stored
        self._evidence = AssetEvidence(readings, self._last_before)
        self._planned_from_us = 0
        self.from_us: int | None = None
        self.bands: list[Band] = []
        self.tail: Tail | None = None

    async def relay(self, now_us: int) -> None:
        """Lay the calendar anew over all that is known, and count short stops anew."""
        known = await self._stored.all()
        if known:
            span = known[0].at_us, now_us
            short_us, calendar = round(self._made.asset.short_stop_s * SECOND_US), self._made.calendar

            def lay() -> list[Band]:
                planned = calendar.spans((max(span[0], now_us - calendar.reach_us), now_us))
                return list(bands(None, raw_segments(known), planned, short_us, span))

            self._take(span[0], await asyncio.to_thread(lay))

    async def run(self, since_us: int, now_us: int) -> None:
        """What follows from readings of `since_us` on."""
        calendar = self._made.calendar
        if calendar:
            self._planned_from_us = max(await self._known_from(since_us, now_us), now_us - calendar.reach_us)
        while True:
            first_us = await self._first_from(since_us)
            ends = [now_us, max(since_us, self._planned_from_us) + calendar.step_us]
            ends += [] if first_us is None else [max(first_us, since_us) + STEP_US]
            upto_us = min(ends)
            derived = await derive(
                self._made.asset, (since_us, upto_us), self._evidence, self._last_before, self._planned
            )
            self._take(derived.from_us, derived.bands)
            self.tail, since_us = derived.tail, upto_us
            if upto_us == now_us:
                return

    async def _known_from(self, since_us: int, now_us: int) -> int:
        """A time before which nothing is known of the asset: there is no need to go through the calendar there."""
        first_us = await self._stored.first_at()
        if first_us is None or since_us <= first_us:
            heard_us = await self._first_from(0)
            first_us = min((at_us for at_us in (first_us, heard_us) if at_us is not None), default=now_us)
        return first_us

    async def mark_after(self, now_us: int) -> tuple[int | None, float | None]:
        """When to look again though nothing comes, and the last sign of life there was."""
        ahead_us = await self._first_from(now_us)
        alive = await self._evidence.alive_before(self._made.asset.wirings[-1], now_us)
        return next_look(self._made, self.tail, now_us, ahead_us), alive

    async def _first_from(self, from_us: int) -> int | None:
        return await self._readings.first_from(sorted(self._made.inputs), from_us)

    async def _last_before(self, at_us: int) -> Band | None:
        at = bisect_left(self.bands, at_us, key=lambda band: band.at_us)
        if at:
            return self.bands[at - 1]
        return await self._stored.last_before(at_us if self.from_us is None else min(at_us, self.from_us))

    def _planned(self, span: Span) -> Sequence[Span]:
        return self._made.calendar.spans((max(span[0], self._planned_from_us), span[1]))

    def _take(self, from_us: int, found: Sequence[Band]) -> None:
        """These are all from a time on."""
        del self.bands[bisect_left(self.bands, from_us, key=lambda band: band.at_us) :]
        self.bands += found
        self.from_us = from_us if self.from_us is None else min(from_us, self.from_us)


def next_look(made: Made, tail: Tail | None, now_us: int, ahead_us: int | None) -> int | None:
    """When bands change by time alone: by silence, by the calendar, by a wiring that is to come, or by evidence
    that is ahead of the clock here (`ahead_us`, the next). None for never."""
    times = [wiring.from_us + 1 for wiring in made.asset.wirings if wiring.from_us >= now_us]
    if ahead_us is not None:
        times.append(ahead_us + 1)
    if tail is not None and tail.raw is not State.UNKNOWN:
        times.append(silence_us(made, tail.evidence_us))
    if made.calendar:
        times.append(made.calendar.next_edge(now_us) + 1)
    return min(times, default=None)


def silence_us(made: Made, evidence_us: int) -> int:
    """From when on a logger is silent that was last heard then."""
    return evidence_us + round(made.asset.silent_s * SECOND_US) + 1


class Standing(msgspec.Struct, frozen=True):
    """How an asset stood when its bands were last worked out, up to `upto_us`."""

    upto_us: int
    tail: Tail
    alive_s: float | None
    look_us: int | None


def lived_on(made: Made, stood: Standing, lives: Sequence[tuple[int, float]], now_us: int) -> Standing | None:
    """How it stands after signs of life that change no band; None where bands are to be worked out after all.

    `lives` are all that came behind `stood.tail.evidence_us`, when and what they said; nothing else has come.
    """
    quiet_us, last_us, alive_s = silence_us(made, stood.tail.evidence_us), stood.tail.evidence_us, stood.alive_s
    another_us = None if stood.look_us == quiet_us else stood.look_us
    if stood.upto_us >= quiet_us or (another_us is not None and another_us <= now_us):
        return None
    for at_us, said_s in lives:
        if at_us >= silence_us(made, last_us) or (alive_s is not None and said_s < alive_s) or at_us >= now_us:
            return None
        last_us, alive_s = at_us, said_s
    if now_us >= silence_us(made, last_us):
        return None
    tail = Tail(stood.tail.raw, last_us)
    looks = [at_us for at_us in (another_us, next_look(made, tail, now_us, None)) if at_us is not None]
    return Standing(now_us, tail, alive_s, min(looks, default=None))
