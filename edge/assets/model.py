"""What follows from what loggers say: the states of an asset over time, its stops, and sums that answer any window.

docs/availability.md is the definition; the words here are its words. Two steps, both pure:

`segments` turns what was heard of one wiring into raw states: running, stopped, unknown.
`bands` lays the calendar over raw states and counts. A band carries the sums of all before it, so the figures of a
window are a difference of two of them, whatever lies in between (figures.py).

Both can be taken up again in the middle: what follows from late evidence is worked out anew from there on alone.
Times are UTC microseconds, spans end before their end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

import msgspec

SILENT_S = 180  # three signs of life of our own loggers, six of an older one's
SHORT_STOP_S = 300
SECOND_US = 1_000_000
ALIVE = "alive"
"""The key of the reading that is a logger's sign of life: whole seconds since it started."""

Span = tuple[int, int]
"""From, and until before: UTC microseconds."""


class State(IntEnum):
    """What an asset is at a moment; raw states are the first three. By number as the database has them."""

    UNKNOWN = 0
    RUNNING = 1
    STOPPED = 2
    PLANNED = 3

    @property
    def word(self) -> str:
        """As people and the API say it."""
        return self.name.lower()


class Past(IntEnum):
    """What is known of an asset's past at a moment, for its stops."""

    NOTHING = 0  # never seen running or stopped since this wiring began
    RAN = 1  # running, when it was last known
    STOPS = 2  # in a stop that was seen to begin
    STOOD = 3  # stopped, and nobody saw since when


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """One piece of evidence: a statement where `said` is a raw state, a sign of life where `alive_s` is a time."""

    at_us: int
    said: State | None = None
    alive_s: float | None = None


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """A raw state from a time on. `anew`: a wiring begins here, and what was before says nothing of its stops."""

    at_us: int
    raw: State
    anew: bool = False


class Sums(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What there was before a moment, since the first band. Of two moments the difference counts."""

    run_us: int = 0
    stop_us: int = 0
    planned_us: int = 0
    stops: int = 0
    short_stops: int = 0
    ended_stops: int = 0

    def __sub__(self, other: Sums) -> Sums:
        return Sums(
            self.run_us - other.run_us,
            self.stop_us - other.stop_us,
            self.planned_us - other.planned_us,
            self.stops - other.stops,
            self.short_stops - other.short_stops,
            self.ended_stops - other.ended_stops,
        )

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.run_us + other.run_us,
            self.stop_us + other.stop_us,
            self.planned_us + other.planned_us,
            self.stops + other.stops,
            self.short_stops + other.short_stops,
            self.ended_stops + other.ended_stops,
        )


class Band(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An asset's state from a time on, until the next band.

    `raw`: what it would be without the calendar. `began_us`: since when the stop counts that is under way, or, of
    a running band and of one that is `anew`, that ended with it; 0 for none. `stopped_us`: how long that stop had
    been stopped before this band; where it ended, how long it was. `sums`: of all before this band, with what is
    counted at its begin. `anew`: a wiring begins with it, and nobody saw how a stop of the one before it ended.
    """

    at_us: int
    state: State
    raw: State
    past: Past
    began_us: int = 0
    stopped_us: int = 0
    sums: Sums = Sums()
    anew: bool = False

    def sums_at(self, at_us: int) -> Sums:
        """The sums at a moment of this band, behind its begin or at its end."""
        more_us, sums = at_us - self.at_us, self.sums
        if self.state is State.RUNNING:
            return msgspec.structs.replace(sums, run_us=sums.run_us + more_us)
        if self.state is State.STOPPED:
            return msgspec.structs.replace(sums, stop_us=sums.stop_us + more_us)
        if self.state is State.PLANNED:
            return msgspec.structs.replace(sums, planned_us=sums.planned_us + more_us)
        return sums

    def stopped_at(self, at_us: int) -> int:
        """How long the stop under way had been stopped at a moment of this band, in microseconds."""
        goes_on = self.state is State.STOPPED and self.began_us and not self.anew
        return self.stopped_us + (at_us - self.at_us if goes_on else 0)

    @property
    def ends_stop(self) -> bool:
        """Whether a stop that counts ended with this band: as the machine ran, or unseen with its wiring."""
        return self.began_us > 0 and (self.anew or self.state is State.RUNNING)


class Tail(msgspec.Struct, frozen=True):
    """How a wiring stands behind the last thing heard: its raw state, and when the last evidence was."""

    raw: State
    evidence_us: int


def said(value: object, *, inverted: bool) -> State:
    """What a reading of an input states."""
    if isinstance(value, str):
        word = value.strip().upper()
        if word == "UNKNOWN":
            return State.UNKNOWN
        return State.RUNNING if word == "RUNNING" else State.STOPPED
    return State.RUNNING if bool(value) is not inverted else State.STOPPED


def segments(
    heard: Iterable[Heard],
    span: Span,
    silent_us: int,
    *,
    now_us: int,
    before: State | None = None,
    alive_s: float | None = None,
) -> tuple[list[Segment], Tail | None]:
    """The raw states of one wiring within `span`, where they change, and how it stands at the end.

    `heard` is in order of time, signs of life before statements of the same time. Without `before` the span is a
    wiring's from its begin on, which the first segment tells; what was heard from the last statement at or before
    it on belongs to it. To take up in the middle, the span begins with the last evidence before what is new, and
    `before` is the raw state just before. `alive_s` is the logger's last sign of life before all that is heard. The
    tail is None where nothing was heard.
    """
    now = State.UNKNOWN if before is None else before
    walk, last_us = _Walk(span, before), None
    for one in heard:
        if last_us is not None:
            started_anew = one.alive_s is not None and alive_s is not None and one.alive_s < alive_s
            if one.at_us - last_us > silent_us or started_anew:
                now = State.UNKNOWN
                walk.turns(last_us, now)
        last_us = one.at_us
        if one.alive_s is not None:
            alive_s = one.alive_s
        if one.said is not None:
            now = one.said
            walk.turns(one.at_us, now)
    if last_us is None:
        return walk.done(), None
    if min(now_us, span[1]) - last_us > silent_us:
        now = State.UNKNOWN
        walk.turns(last_us, now)
    return walk.done(), Tail(now, last_us)


class _Walk:
    """Collects changes of state within a span; what lasts no time never was. `raw`: before it, None for anew."""

    def __init__(self, span: Span, raw: State | None) -> None:
        self._span, self._raw = span, raw
        self._turns: list[tuple[int, State]] = []

    def turns(self, at_us: int, raw: State) -> None:
        """From then on it is so; a turn before the span counts from its begin."""
        at_us = max(at_us, self._span[0])
        while self._turns and self._turns[-1][0] >= at_us:
            self._turns.pop()
        if at_us < self._span[1]:
            self._turns.append((at_us, raw))

    def done(self) -> list[Segment]:
        """The changes."""
        found: list[Segment] = []
        raw = self._raw
        if raw is None:
            raw = self._turns[0][1] if self._turns and self._turns[0][0] == self._span[0] else State.UNKNOWN
            found.append(Segment(self._span[0], raw, True))
        for at_us, turned in self._turns:
            if turned is not raw:
                found.append(Segment(at_us, turned))
                raw = turned
        return found


def bands(
    before: Band | None, rest: Sequence[Segment], planned: Iterable[Span], short_us: int, span: Span
) -> Iterator[Band]:
    """The bands that begin within `span`, behind `before`: the last that begins before it, None for none.

    `rest` are the changes within the span. `planned` is in order, its spans neither overlap nor touch. `short_us`:
    a stop that was shorter is a short one.
    """
    count = _Count(before, short_us)
    for at_us, raw, anew, is_planned in _laid_over(before, rest, planned, span):
        band = count.next(at_us, raw, anew=anew, planned=is_planned)
        if band is not None:
            yield band


def _laid_over(
    before: Band | None, rest: Iterable[Segment], planned: Iterable[Span], span: Span
) -> Iterator[tuple[int, State, bool, bool]]:
    """Segments and the calendar's edges in order of time: when, raw state, whether anew, whether planned."""
    edges = _edges(planned, span)
    edge = next(edges, None)
    in_plan = False
    raw = State.UNKNOWN if before is None else before.raw
    for segment in rest:
        while edge is not None and edge[0] <= segment.at_us:
            in_plan = edge[1]
            if edge[0] < segment.at_us:
                yield edge[0], raw, False, in_plan
            edge = next(edges, None)
        raw = segment.raw
        yield segment.at_us, raw, segment.anew, in_plan
    while edge is not None:
        yield edge[0], raw, False, edge[1]
        edge = next(edges, None)


def _edges(planned: Iterable[Span], span: Span) -> Iterator[tuple[int, bool]]:
    """When planned time begins (True) and ends (False) within a span; how it is at the span's begin comes first."""
    from_us, to_us = span
    found = [(begin_us, end_us) for begin_us, end_us in planned if end_us > from_us and begin_us < to_us]
    if not found or found[0][0] > from_us:
        yield from_us, False
    for begin_us, end_us in found:
        yield max(begin_us, from_us), True
        if end_us < to_us:
            yield end_us, False


class _Count:
    """Goes from band to band."""

    def __init__(self, before: Band | None, short_us: int) -> None:
        self._band, self._short_us = before, short_us

    def next(self, at_us: int, raw: State, *, anew: bool, planned: bool) -> Band | None:
        """The band that begins here; None where nothing changes, or nothing has been known yet."""
        before = self._band
        if before is None:
            if raw is State.UNKNOWN:
                return None
            before = Band(at_us, State.UNKNOWN, State.UNKNOWN, Past.NOTHING)
        if anew:
            before = msgspec.structs.replace(before, past=Past.NOTHING)
        state = State.PLANNED if planned and raw is not State.RUNNING else raw
        if (state, raw) == (before.state, before.raw) and not anew and self._band is not None:
            return None
        self._band = self._following(before, at_us, raw, state, anew=anew)
        return self._band

    def _following(self, before: Band, at_us: int, raw: State, state: State, *, anew: bool) -> Band:
        past, began_us, stopped_us = before.past, before.began_us, before.stopped_at(at_us)
        if before.ends_stop:
            began_us = stopped_us = 0
        sums = before.sums_at(at_us)
        if raw is State.RUNNING:
            if past is Past.STOPS and began_us:
                short = stopped_us < self._short_us
                sums = _counted(sums, ended_stops=1, short_stops=int(short))
            past = Past.RAN
        elif raw is State.STOPPED:
            if past in (Past.NOTHING, Past.STOOD):
                past = Past.STOOD
            else:
                past = Past.STOPS
                if not began_us and state is State.STOPPED:
                    began_us = at_us
                    sums = _counted(sums, stops=1)
        return Band(at_us, state, raw, past, began_us, stopped_us, sums, anew)


def raw_segments(known: Iterable[Band]) -> list[Segment]:
    """What was known before the calendar was laid over it: for another calendar, or another threshold."""
    rest: list[Segment] = []
    for band in known:
        if not rest or band.anew or band.raw is not rest[-1].raw:
            rest.append(Segment(band.at_us, band.raw, band.anew))
    return rest


def _counted(sums: Sums, *, stops: int = 0, short_stops: int = 0, ended_stops: int = 0) -> Sums:
    return msgspec.structs.replace(
        sums,
        stops=sums.stops + stops,
        short_stops=sums.short_stops + short_stops,
        ended_stops=sums.ended_stops + ended_stops,
    )
