"""Works an asset's bands out anew from a time on, from whatever is known now: the same at hub and centre.

It takes up at the last evidence before what is new, so a sign of life costs a few rows, and a week that came late
costs a week. Where the logger is silent from that evidence on whatever is new, it takes up at what is new itself: a
break in the calendar of a machine that nobody has heard of for a year costs a row, not the breaks of a year.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from edge.assets.model import SECOND_US, Band, Heard, Segment, Span, State, Tail, bands, segments

FOREVER_US = 2**62


class Wiring(msgspec.Struct, frozen=True):
    """From when on which input of which logger tells of an asset."""

    from_us: int
    device: str
    input: str
    inverted: bool = False


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """What bands are made by. `wirings` in order of time, one at least."""

    id: str
    silent_s: float
    short_stop_s: float
    wirings: tuple[Wiring, ...]

    def spans(self) -> list[tuple[Wiring, Span]]:
        """Each wiring with its time."""
        ends = [wiring.from_us for wiring in self.wirings[1:]] + [FOREVER_US]
        return [(wiring, (wiring.from_us, end)) for wiring, end in zip(self.wirings, ends, strict=True)]


class Evidence(Protocol):
    """What loggers said, as readings have it: statements of the wiring's input and signs of life of its device."""

    async def heard(self, wiring: Wiring, span: Span) -> Sequence[Heard]:
        """All of a span in order of time, of one time signs of life first, then statements in order of arrival."""

    async def statement_at(self, wiring: Wiring, at_us: int) -> int | None:
        """When the last statement at or before a time was."""

    async def evidence_before(self, wiring: Wiring, at_us: int) -> int | None:
        """When the last evidence before a time was."""

    async def alive_before(self, wiring: Wiring, at_us: int) -> float | None:
        """The last sign of life before a time."""


class Derived(msgspec.Struct, frozen=True):
    """All bands from `from_us` until before `upto_us` that there are now; behind `upto_us` nothing is known yet.

    `tail`: how the last wiring stands then, None where nothing was heard of it.
    """

    from_us: int
    upto_us: int
    bands: list[Band]
    tail: Tail | None


async def derive(
    asset: Asset,
    span: Span,
    evidence: Evidence,
    last_before: Callable[[int], Awaitable[Band | None]],
    planned: Callable[[Span], Sequence[Span]],
) -> Derived:
    """Work out what follows from evidence that is new from the span's begin on, up to its end: the present, or a
    step on the way there. Time that has passed is new too: the span begins no later than the last one ended. Where
    a wiring is given another begin, it begins at the earlier of both.

    `last_before(at_us)` is the asset's last band that begins before a time; `planned(span)` its planned time.
    """
    since_us, upto_us = span
    rest: list[Segment] = []
    from_us, tail = upto_us, None
    heard: Sequence[Heard] | None
    for wiring, its in asset.spans():
        if its[1] < since_us or its[0] >= upto_us:
            continue
        end_us = min(its[1], upto_us)
        heard_us = await evidence.evidence_before(wiring, since_us) if since_us > its[0] else None
        heard = None
        if since_us > its[0]:
            heard = await _behind_silence(asset, wiring, (since_us, end_us), heard_us, evidence, last_before)
        if heard is not None:
            part, stood, first_us = (since_us, end_us), State.UNKNOWN, since_us
        elif heard_us is not None and heard_us > its[0]:
            before = await last_before(heard_us)
            part, stood, first_us = (heard_us, end_us), State.UNKNOWN if before is None else before.raw, heard_us
        else:
            said_us = await evidence.statement_at(wiring, its[0])
            part, stood, first_us = (its[0], end_us), None, its[0] if said_us is None else said_us
        if heard is None:
            heard = await evidence.heard(wiring, (first_us, end_us))
        alive_s = await evidence.alive_before(wiring, first_us)
        found, tail = segments(heard, part, _silent_us(asset), now_us=upto_us, before=stood, alive_s=alive_s)
        if tail is None and heard_us is not None:
            tail = Tail(State.UNKNOWN, heard_us)
        from_us = min(from_us, part[0])
        rest += found
    replaced = from_us, upto_us
    short_us = round(asset.short_stop_s * SECOND_US)
    made = bands(await last_before(from_us), rest, planned(replaced), short_us, replaced)
    return Derived(from_us, upto_us, list(made), tail)


async def _behind_silence(
    asset: Asset,
    wiring: Wiring,
    span: Span,
    heard_us: int | None,
    evidence: Evidence,
    last_before: Callable[[int], Awaitable[Band | None]],
) -> Sequence[Heard] | None:
    """What was heard within the span, where nothing of it changes what was before: the state was unknown, and is,
    as the logger was silent from its last evidence (`heard_us`) until the first of the span. None where it may."""
    before = await last_before(span[0])
    if before is not None and before.raw is not State.UNKNOWN:
        return None
    heard = await evidence.heard(wiring, span)
    next_us = heard[0].at_us if heard else span[1]
    return heard if heard_us is None or next_us - heard_us > _silent_us(asset) else None


def _silent_us(asset: Asset) -> int:
    return round(asset.silent_s * SECOND_US)
