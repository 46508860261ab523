"""The figures once more, slowly: written from docs/availability.md alone, to prove the code that counts fast.

It shares nothing with `edge/assets`. Between two moments at which anything happens the state cannot change, so each
such stretch is judged by itself, by looking through everything that was ever said. Stops are found by walking the
stretches; a window clips every one of them. All times are whole microseconds.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

RUNNING, STOPPED, PLANNED, UNKNOWN = "running", "stopped", "planned", "unknown"

Said = bool | int | float | str
Span = tuple[int, int]


@dataclass(frozen=True)
class Reading:
    """One thing a logger said; a list of them stands in the order of their arrival."""

    device: str
    key: str
    at_us: int
    value: Said


@dataclass(frozen=True)
class Wire:
    """From when on which input tells of the machine."""

    from_us: int
    device: str
    input: str
    inverted: bool = False


@dataclass(frozen=True)
class Machine:
    """What people say of the machine. `wires` in order of time; `calendar` in any order, its spans may overlap."""

    wires: Sequence[Wire]
    silent_us: int
    short_us: int
    calendar: Sequence[Span] = ()


@dataclass(frozen=True)
class Stretch:
    """A time in which nothing changes."""

    from_us: int
    to_us: int
    wire: int
    raw: str
    state: str


@dataclass
class Stop:
    """One stop: where it began, when it was stopped outside the calendar, and its end if one was seen."""

    began_us: int
    stopped: list[Span] = field(default_factory=list)
    ended_us: int | None = None

    @property
    def counts_us(self) -> int | None:
        """Where it counts; None: nowhere."""
        return self.stopped[0][0] if self.stopped else None

    @property
    def stopped_us(self) -> int:
        """Its whole stopped time."""
        return sum(to - since for since, to in self.stopped)


@dataclass(frozen=True)
class Answer:
    """The figures of a window, times in microseconds; None: undefined."""

    run_us: int
    stop_us: int
    planned_us: int
    unknown_us: int
    stops: int
    ended_stops: int
    short_stops: int
    longest_us: int

    @property
    def availability(self) -> float | None:
        """The share of the known, unplanned time in which it ran."""
        known = self.run_us + self.stop_us
        return self.run_us / known if known else None

    @property
    def coverage(self) -> float | None:
        """How much of what should be known is known."""
        due = self.run_us + self.stop_us + self.unknown_us
        return (self.run_us + self.stop_us) / due if due else None

    @property
    def mtbf_us(self) -> float | None:
        """Mean running time for one stop."""
        return self.run_us / self.stops if self.stops else None

    @property
    def mttr_us(self) -> float | None:
        """Mean stopped time for one stop that ended."""
        return self.stop_us / self.ended_stops if self.ended_stops else None


def stretches(machine: Machine, readings: Sequence[Reading], now_us: int) -> list[Stretch]:
    """The machine's life until now, cut at every moment at which anything happens."""
    moments = {now_us}
    moments.update(wire.from_us for wire in machine.wires)
    moments.update(reading.at_us for reading in readings)
    moments.update(edge for span in machine.calendar for edge in span)
    begin = min((wire.from_us for wire in machine.wires), default=now_us)
    cuts = sorted(moment for moment in moments if begin <= moment <= now_us)
    raws = [(since, to, *_raw(machine, readings, since, now_us)) for since, to in itertools.pairwise(cuts)]
    known = [since for since, _, _, raw in raws if raw != UNKNOWN]
    return [
        Stretch(since, to, wire, raw, _state(machine, raw, since, known[0] if known else None))
        for since, to, wire, raw in raws
    ]


def stops(life: Iterable[Stretch]) -> list[Stop]:
    """Every stop of a life, also those that count nowhere."""
    found: list[Stop] = []
    wire, last, running_stop = -1, UNKNOWN, None
    for stretch in life:
        if stretch.wire != wire:
            wire, last, running_stop = stretch.wire, UNKNOWN, None
        if stretch.raw == STOPPED and last == RUNNING:
            running_stop = Stop(stretch.from_us)
            found.append(running_stop)
        if stretch.raw == RUNNING and running_stop is not None:
            running_stop.ended_us = stretch.from_us
            running_stop = None
        if stretch.state == STOPPED and running_stop is not None:
            running_stop.stopped.append((stretch.from_us, stretch.to_us))
        if stretch.raw != UNKNOWN:
            last = stretch.raw
    return found


def answer(life: Sequence[Stretch], machine: Machine, window: Span, now_us: int) -> Answer:
    """The figures of one window."""
    since, to = window[0], max(window[0], min(window[1], now_us))
    total = {RUNNING: 0, STOPPED: 0, PLANNED: 0}
    for stretch in life:
        if stretch.state != UNKNOWN:
            total[stretch.state] += _shared((stretch.from_us, stretch.to_us), (since, to))
    counted = [(stop, stop.counts_us) for stop in stops(life)]
    that_count = [(stop, counts) for stop, counts in counted if counts is not None]
    ended = [stop for stop, _ in that_count if stop.ended_us is not None and since <= stop.ended_us < to]
    within = [sum(_shared(span, (since, to)) for span in stop.stopped) for stop, _ in that_count]
    return Answer(
        run_us=total[RUNNING],
        stop_us=total[STOPPED],
        planned_us=total[PLANNED],
        unknown_us=to - since - sum(total.values()),
        stops=sum(since <= counts < to for _, counts in that_count),
        ended_stops=len(ended),
        short_stops=sum(stop.stopped_us < machine.short_us for stop in ended),
        longest_us=max(within, default=0),
    )


def together(answers: Sequence[Answer]) -> Answer:
    """Several windows or several machines: sums, and the greatest of the longest."""
    return Answer(
        run_us=sum(one.run_us for one in answers),
        stop_us=sum(one.stop_us for one in answers),
        planned_us=sum(one.planned_us for one in answers),
        unknown_us=sum(one.unknown_us for one in answers),
        stops=sum(one.stops for one in answers),
        ended_stops=sum(one.ended_stops for one in answers),
        short_stops=sum(one.short_stops for one in answers),
        longest_us=max((one.longest_us for one in answers), default=0),
    )


def _raw(machine: Machine, readings: Sequence[Reading], moment: int, now_us: int) -> tuple[int, str]:
    """Which wiring tells of the machine at a moment, and what it says then."""
    number = max(index for index, wire in enumerate(machine.wires) if wire.from_us <= moment)
    wire = machine.wires[number]
    later = [other.from_us for other in machine.wires[number + 1 :]]
    end = min([now_us, *later])
    pieces = _evidence(wire, readings, end)
    stated = [index for index, piece in enumerate(pieces) if piece.key == wire.input and piece.at_us <= moment]
    if not stated:
        return number, UNKNOWN
    for index in range(stated[-1], len(pieces)):
        if pieces[index].at_us > moment:
            break
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        if (following.at_us if following else end) - pieces[index].at_us > machine.silent_us:
            return number, UNKNOWN
        if following is not None and _restarted(pieces, index + 1):
            return number, UNKNOWN
    return number, _meaning(pieces[stated[-1]].value, wire.inverted)


def _evidence(wire: Wire, readings: Sequence[Reading], end_us: int) -> list[Reading]:
    """All that a wiring's input and its logger said before the wiring's end, in order."""
    told = [r for r in readings if r.device == wire.device and r.key in (wire.input, "alive") and r.at_us < end_us]
    return sorted(told, key=lambda reading: (reading.at_us, reading.key != "alive"))  # ties stay as they arrived


def _restarted(pieces: Sequence[Reading], index: int) -> bool:
    """Whether a piece of evidence says that the logger was off before it."""
    if pieces[index].key != "alive":
        return False
    earlier = [piece.value for piece in pieces[:index] if piece.key == "alive"]
    return bool(earlier) and float(pieces[index].value) < float(earlier[-1])


def _meaning(value: Said, inverted: bool) -> str:
    if isinstance(value, str):
        return {"RUNNING": RUNNING, "UNKNOWN": UNKNOWN}.get(value.upper(), STOPPED)
    return RUNNING if (value != 0) != inverted else STOPPED


def _state(machine: Machine, raw: str, moment: int, first_known: int | None) -> str:
    if raw == RUNNING or first_known is None or moment < first_known:
        return raw
    planned = any(since <= moment < to for since, to in machine.calendar)
    return PLANNED if planned else raw


def _shared(one: Span, other: Span) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))
