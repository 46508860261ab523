"""Whatever loggers saw and in whatever order it came: what is worked out step by step is what the definition says.

The definition is tests/unit/assets/reference.py, which shares no code with what it proves. Histories are short and
their times few, so that gaps, thresholds, wirings, windows and the calendar meet exactly, again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.assets.answers.asking import Chosen, windows_of
from edge.assets.answers.timeline import timeline
from edge.assets.calendar import Planned, planned_spans
from edge.assets.deriving import Asset, Wiring
from edge.assets.figures import Window
from edge.assets.model import Band, bands, raw_segments
from tests.tools import share
from tests.unit.assets import reference
from tests.unit.assets.memory_bands import MemoryBands, Watched, run
from tests.unit.assets.reference import Machine, Reading, Span, Wire

UTC = ZoneInfo("UTC")
BEGIN, END = 1000, 1040  # microseconds: everything happens in so few moments that much happens at once
NOW = END + 5

often = settings(max_examples=share(60, 2500), deadline=None, suppress_health_check=list(HealthCheck))

moments = st.integers(BEGIN, END)
spans = st.tuples(moments, moments).map(lambda ends: (min(ends), max(ends)))
states = st.sampled_from([True, False, True, False, 1, 0, 1.0, 0.0, "RUNNING", "STOPPED", "ERROR", "UNKNOWN"])
statements = st.builds(Reading, st.sampled_from("ab"), st.sampled_from(["in1", "in1", "in2"]), moments, states)
signs = st.builds(Reading, st.sampled_from("ab"), st.just("alive"), moments, st.integers(0, 60))
anything = st.lists(st.one_of(statements, statements, signs), max_size=12)


@st.composite
def turns(draw: st.DrawFn) -> list[Reading]:
    """What a machine mostly looks like: it runs and stops by turns, and its logger is up all the while."""
    found, at_us, up_s, runs = [], BEGIN, 5, draw(st.booleans())
    for gap_us, turned in draw(st.lists(st.tuples(st.sampled_from([1, 2, 3, 4, 8]), st.booleans()), max_size=14)):
        at_us, up_s, runs = at_us + gap_us, up_s + gap_us, runs is not turned
        found.append(Reading("a", "in1", at_us, runs) if turned else Reading("a", "alive", at_us, up_s))
    return [reading for reading in found if reading.at_us <= END]


readings = st.builds(lambda mostly, more: [*mostly, *more], turns(), st.one_of(st.just([]), anything))


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """A machine that may be wired anew, with a calendar whose times may overlap."""
    begins = sorted(draw(st.sets(moments, min_size=1, max_size=draw(st.sampled_from([1, 2, 3])))))
    begins[0] = draw(st.sampled_from([begins[0], BEGIN, BEGIN]))
    begins = sorted(set(begins))
    devices = st.sampled_from(["a", "a", "a", "b", ""])  # without a device it is removed
    inputs = st.sampled_from(["in1", "in1", "in1", "in2"])
    wires = [Wire(at_us, draw(devices), draw(inputs), draw(st.booleans())) for at_us in begins]
    return Machine(
        wires=wires,
        silent_us=draw(st.sampled_from([3, 8, 20, 100, 100])),
        short_us=draw(st.integers(1, 9)),
        calendar=draw(st.lists(spans, max_size=3)),
    )


@dataclass(frozen=True)
class Delivery:
    """Readings that come together, when it is `now_us`."""

    now_us: int
    readings: list[Reading]


@st.composite
def deliveries(draw: st.DrawFn, all_readings: list[Reading]) -> list[Delivery]:
    """The readings in any order, some at a time, none before it was true; at last it is NOW."""
    left, found, now_us = draw(st.permutations(all_readings)), [], BEGIN
    while left:
        count = draw(st.integers(1, max(1, len(left) // 2)))
        some, left = left[:count], left[count:]
        now_us = max([now_us, *(reading.at_us + 1 for reading in some)]) + draw(st.sampled_from([0, 0, 1, 5]))
        found.append(Delivery(min(now_us, NOW), some))
    return [*found, Delivery(NOW, [])]


@given(machines(), readings, st.data())
@often
def test_the_order_of_arrival_changes_nothing(machine: Machine, told: list[Reading], data: st.DataObject) -> None:
    watched = watch(machine)
    for delivery in data.draw(deliveries(told)):
        watched.hear(delivery.readings, delivery.now_us)
    agree(watched, machine, data.draw(st.lists(spans, max_size=4)))


@given(machines(), readings, st.data())
@often
def test_a_clock_that_is_put_right_moves_what_was_said(
    machine: Machine, told: list[Reading], data: st.DataObject
) -> None:
    watched = watch(machine)
    watched.hear(told, NOW)
    for index in data.draw(st.sets(st.integers(0, len(told) - 1), max_size=4)) if told else ():
        was, at_us = watched.evidence.readings[index], data.draw(moments)
        watched.evidence.readings[index] = replace(was, at_us=at_us)
        watched.work_out(min(was.at_us, at_us), NOW)
    agree(watched, machine, data.draw(st.lists(spans, max_size=4)))


@given(machines(), machines(), readings, st.data())
@often
def test_a_machine_that_is_wired_otherwise_is_worked_out_from_there_on(
    machine: Machine, other: Machine, told: list[Reading], data: st.DataObject
) -> None:
    """Wirings change afterwards: from the first that differs on."""
    other = replace(other, silent_us=machine.silent_us, short_us=machine.short_us, calendar=machine.calendar)
    other = replace(
        other, wires=[machine.wires[0], *(w for w in other.wires if w.from_us > machine.wires[0].from_us)]
    )
    watched = watch(machine)
    watched.hear(told, NOW)
    watched.asset = asset_of(other)
    differ = set(machine.wires) ^ set(other.wires)
    watched.work_out(min((wire.from_us for wire in differ), default=NOW), NOW)
    agree(watched, other, data.draw(st.lists(spans, max_size=4)))


@given(machines(), machines(), readings, st.lists(spans, max_size=4))
@often
def test_another_calendar_or_threshold_needs_no_evidence(
    machine: Machine, other: Machine, told: list[Reading], windows: list[Span]
) -> None:
    watched = watch(machine)
    watched.hear(told, NOW)
    machine = replace(machine, calendar=other.calendar, short_us=other.short_us)
    planned = planned_spans(calendar_of(machine), "press", UTC, (BEGIN, NOW))
    again = bands(None, raw_segments(watched.known), planned, machine.short_us, (BEGIN, NOW))
    watched.bands.by_asset["press"] = list(again)
    agree(watched, machine, windows)


def watch(machine: Machine) -> Watched:
    """The machine, watched by the code that is to be proved."""
    return Watched(asset_of(machine), calendar_of(machine), UTC)


def asset_of(machine: Machine) -> Asset:
    """The machine as that code has it."""
    wirings = tuple(Wiring(wire.from_us, wire.device, wire.input, wire.inverted) for wire in machine.wires)
    second = 1_000_000
    return Asset(
        id="press", silent_s=machine.silent_us / second, short_stop_s=machine.short_us / second, wirings=wirings
    )


def calendar_of(machine: Machine) -> list[Planned]:
    """Its calendar as that code has it."""
    return [Planned(once=span) for span in machine.calendar]


def agree(watched: Watched, machine: Machine, windows: Sequence[Span]) -> None:
    """States at every moment, stops, and the figures of windows are those of the definition."""
    life = reference.stretches(machine, watched.evidence.readings, NOW)
    assert states_of(watched.known) == states_by_definition(life)
    assert stops_of(watched.bands) == stops_by_definition(life)
    whole = (BEGIN - 5, NOW + 5)
    for window in [whole, *windows]:
        assert figures_of(watched, machine, window) == reference.answer(life, machine, window, NOW), window
        assert seen(watched, machine, window) == cut(life, window), window


def states_of(known: Sequence[Band]) -> list[str]:
    """The state at each moment."""
    ends = [*(band.at_us for band in known), NOW][1:]
    found = {at: band.state.word for band, end in zip(known, ends, strict=True) for at in range(band.at_us, end)}
    return [found.get(at, reference.UNKNOWN) for at in range(BEGIN, NOW)]


def states_by_definition(life: Sequence[reference.Stretch]) -> list[str]:
    found = {at: stretch.state for stretch in life for at in range(stretch.from_us, stretch.to_us)}
    return [found.get(at, reference.UNKNOWN) for at in range(BEGIN, NOW)]


def stops_of(known: MemoryBands) -> list[tuple[int, int | None, int]]:
    """Stops that count: when they count, when they ended as far as it was seen, how long those were stopped."""
    rows = run(known.stops(["press"], (0, NOW), None, 1000))
    seen = [(row.began_us, row.ended_us if row.seen else None, row.stopped_us) for row in reversed(rows)]
    return [(began, ended, stopped if ended else 0) for began, ended, stopped in seen]


def stops_by_definition(life: Sequence[reference.Stretch]) -> list[tuple[int, int | None, int]]:
    counted = [(stop.counts_us, stop) for stop in reference.stops(life)]
    return [
        (counts, stop.ended_us, stop.stopped_us if stop.ended_us else 0)
        for counts, stop in counted
        if counts is not None
    ]


def figures_of(watched: Watched, machine: Machine, window: Span) -> reference.Answer:
    """The figures of a window by difference of sums."""
    one = Chosen(key="press", id="press", name="Press", short_us=machine.short_us)
    cut_at_now = window[0], max(window[0], min(window[1], NOW))

    async def asked() -> Window:
        async for _, _, found in windows_of(watched.bands, [one], [cut_at_now]):
            return found
        raise AssertionError("no window")

    found = run(asked())
    sums = found.sums
    return reference.Answer(
        run_us=sums.run_us,
        stop_us=sums.stop_us,
        planned_us=sums.planned_us,
        unknown_us=found.length_us - sums.run_us - sums.stop_us - sums.planned_us,
        stops=sums.stops,
        ended_stops=sums.ended_stops,
        short_stops=sums.short_stops,
        longest_us=found.longest_us,
    )


def seen(watched: Watched, machine: Machine, window: Span) -> list[str]:
    """The states that a timeline shows, moment by moment."""
    one = Chosen(key="press", id="press", name="Press", short_us=machine.short_us)
    page = run(timeline(watched.bands, one, window, 1000, NOW))
    return [view.state for view in page.bands]


def cut(life: Sequence[reference.Stretch], window: Span) -> list[str]:
    """The states of a window by definition, neighbours that are the same (and of the same stop) put together."""
    found: list[tuple[str, int]] = []
    under_way = {
        at: stop.counts_us or 0
        for stop in reference.stops(life)
        for at in range(stop.counts_us or NOW, ending(life, stop))
    }
    by_moment = {at: stretch.state for stretch in life for at in range(stretch.from_us, stretch.to_us)}
    for at in range(window[0], min(window[1], NOW)):
        piece = by_moment.get(at, reference.UNKNOWN), under_way.get(at, 0)
        if not found or found[-1] != piece:
            found.append(piece)
    return [state for state, _ in found]


def ending(life: Sequence[reference.Stretch], stop: reference.Stop) -> int:
    """When a stop ended, with its wiring or with the present where it did not."""
    wire = next(stretch.wire for stretch in life if stretch.from_us == stop.began_us)
    return stop.ended_us or max(stretch.to_us for stretch in life if stretch.wire == wire)
