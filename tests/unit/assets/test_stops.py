"""Stops, their reasons, timelines and Pareto: by definition, whatever was said when and of how much of a stop."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest

from edge.assets.answers.asking import Explanation
from edge.assets.answers.pareto import pareto
from edge.assets.answers.said import Said
from edge.assets.answers.stops import Wanted, explanation_of, stop, stops
from edge.assets.answers.tables import BANDS, STOPS, every_band, every_stop
from edge.assets.answers.timeline import timeline
from edge.assets.answers.windows import Question
from edge.clock import iso
from edge.errors import BadInput
from edge.wire.assets import BandView, StopView
from tests.tools import share
from tests.unit.assets.memory_bands import run
from tests.unit.assets.plant import DAY_US, EARLY, HOUR_US, MACHINES, MIN_US, NOW, SHORT_US, T0, Plant
from tests.unit.assets.reference import Span, Stop

ALL = [asset for asset, *_ in MACHINES]
SOME = (T0 + 7 * HOUR_US + 13 * MIN_US, T0 + 2 * DAY_US + 9 * HOUR_US)
SPANS = [(T0, NOW + DAY_US), SOME, (NOW - 3 * HOUR_US, NOW)]


@pytest.fixture(params=range(share(2, 25)), name="plant", scope="module")
def some_plant(request: pytest.FixtureRequest) -> Plant:
    plant = Plant(request.param)
    plant.explain_some()
    return plant


def ask(plant: Plant, span: Span, *, limit: int = 1000, shift: str = "", **wanted: object) -> list[StopView]:
    """All pages of a question."""
    question, wish = Question(from_us=span[0], to_us=span[1], shift=shift), msgspec.convert(wanted, Wanted)
    page = run(stops(plant.bands, plant.scope, question, wish, None, limit))
    found = list(page.stops)
    while page.next is not None:
        assert len(page.stops) == limit
        page = run(stops(plant.bands, plant.scope, question, wish, page.next, limit))
        found += page.stops
    return found


def reason_of(plant: Plant, asset: str, one: Stop) -> str:
    """By definition: said last of any span that overlaps the stop."""
    began, ended = one.stopped[0][0], ending(plant, asset, one)
    said = [e for e in plant.bands.said if e.key == asset and e.from_us < ended and began < e.to_us]
    return said[-1].reason if said else ""


def ending(plant: Plant, asset: str, one: Stop) -> int:
    """When a stop ended: as it ran, with its wiring, or not yet."""
    wire = next(stretch.wire for stretch in plant.lives[asset] if stretch.from_us == one.began_us)
    return one.ended_us or max(stretch.to_us for stretch in plant.lives[asset] if stretch.wire == wire)


def by_definition(plant: Plant, span: Span) -> list[tuple[int, str, Stop]]:
    """The stops that count in a window, newest first."""
    found = [
        (one.stopped[0][0], asset, one)
        for asset in ALL
        for one in plant.stops(asset)
        if span[0] <= one.stopped[0][0] < span[1]
    ]
    return sorted(found, key=lambda stop: stop[:2], reverse=True)


@pytest.mark.parametrize("span", SPANS)
def test_the_stops_of_a_window_newest_first(plant: Plant, span: Span) -> None:
    found, expected = ask(plant, span), by_definition(plant, span)
    assert [(int(view.id), view.asset) for view in found] == [stop[:2] for stop in expected]
    for view, (_, asset, one) in zip(found, expected, strict=True):
        over, until = one.ended_us is not None, ending(plant, asset, one)
        assert view.at == iso(one.stopped[0][0])
        assert view.to == (iso(until) if over or until < NOW else None)
        assert view.stopped_s == pytest.approx(one.stopped_us / 1e6)
        assert view.short == ((one.stopped_us < SHORT_US) if over else None)
        assert view.reason == reason_of(plant, asset, one)
        assert view == run(stop(plant.bands, plant.scope, asset, int(view.id)))


def test_pages_are_the_same_as_the_whole(plant: Plant) -> None:
    assert ask(plant, SOME, limit=7) == ask(plant, SOME)
    assert ask(plant, SOME, limit=7, reason="jam") == ask(plant, SOME, reason="jam")


def test_stops_of_a_shift(plant: Plant) -> None:
    found = ask(plant, SOME, shift="early")
    expected = [one for one in ask(plant, SOME) if any(begin <= int(one.id) < end for begin, end in EARLY)]
    assert found == expected
    assert found


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("reason", ["jam", "material", "", "never-said"])
def test_stops_with_a_reason_and_without(plant: Plant, span: Span, reason: str) -> None:
    assert ask(plant, span, reason=reason) == [one for one in ask(plant, span) if one.reason == reason]


def test_stops_that_go_on_whenever_they_began(plant: Plant) -> None:
    going = [one for one in ask(plant, (T0, NOW)) if one.to is None]
    assert ask(plant, (NOW - 1, NOW), open=True) == going
    assert ask(plant, (NOW - 1, NOW), open=True, reason="") == [one for one in going if not one.reason]


def test_no_stop_counts_from_any_other_moment_on(plant: Plant) -> None:
    first = ask(plant, SOME)[0]
    assert run(stop(plant.bands, plant.scope, first.asset, int(first.id) + 1)) is None


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("shift", ["", "early"])
def test_pareto_shares_out_all_stopped_time_and_all_stops(plant: Plant, span: Span, shift: str) -> None:
    windows = [span] if not shift else [cut for cut in (common(span, its) for its in EARLY) if cut[0] < cut[1]]
    rows = run(pareto(plant.bands, plant.scope, Question(from_us=span[0], to_us=span[1], shift=shift)))
    whole = plant.expected(ALL, windows)
    times, counts = Counter[str](), Counter[str]()
    for asset in ALL:
        for one in plant.stops(asset):
            reason = reason_of(plant, asset, one)
            times[reason] += shared(one, windows)
            counts[reason] += sum(begin <= one.stopped[0][0] < end for begin, end in windows)
    times[""] = whole.stop_us - sum(time for reason, time in times.items() if reason)
    assert {row.reason: row.stop_s for row in rows} == pytest.approx(
        {reason: us / 1e6 for reason, us in times.items() if us or counts[reason]}
    )
    assert {row.reason: row.stops for row in rows if row.stops} == {k: n for k, n in counts.items() if n}
    assert sum(row.stop_s for row in rows) == pytest.approx(whole.stop_us / 1e6)
    assert sum(row.stops for row in rows) == whole.stops
    assert [row.stop_s for row in rows] == sorted((row.stop_s for row in rows), reverse=True)
    assert not rows or sum(row.share or 0 for row in rows) == pytest.approx(1)


def common(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1], NOW)


def shared(one: Stop, windows: Sequence[Span]) -> int:
    """How long a stop was stopped within windows."""
    cuts = [common(span, window) for span in one.stopped for window in windows]
    return sum(max(0, end - begin) for begin, end in cuts)


def test_pareto_calls_a_reason_as_it_is_called_now(plant: Plant) -> None:
    plant.explain(ALL[0], (T0, NOW), "retired")
    names = {row.reason: row.name for row in run(pareto(plant.bands, plant.scope, Question(from_us=T0, to_us=NOW)))}
    plant.bands.said.pop()
    assert (names["jam"], names["retired"], names[""]) == ("Jam", "Retired", "")


@pytest.mark.parametrize("span", SPANS)
def test_a_timeline_covers_its_span_and_says_the_state_of_each_moment(plant: Plant, span: Span) -> None:
    for one in plant.scope.chosen:
        views = run(timeline(plant.bands, one, span, 10_000, NOW)).bands
        ends = [view.to for view in views]
        assert views[0].at == iso(span[0])
        assert ends[:-1] == [view.at for view in views[1:]]
        assert ends[-1] == (None if span[1] >= NOW else iso(span[1]))
        expected = [
            (iso(max(stretch.from_us, span[0])), stretch.state)
            for stretch in plant.lives[one.id]
            if stretch.to_us > span[0] and stretch.from_us < span[1]
        ]
        shown = {view.at: view.state for view in views}
        state = "unknown"
        for at, by_definition_state in expected:
            state = shown.get(at, state)
            assert state == by_definition_state, at


def test_a_timeline_has_stops_with_their_reasons(plant: Plant) -> None:
    for one in plant.scope.chosen:
        reasons = {view.id: view.reason for view in ask(plant, (T0, NOW)) if view.asset == one.id}
        views = run(timeline(plant.bands, one, SOME, 10_000, NOW)).bands
        within = [view for view in views if view.stop is not None]
        assert [view.reason for view in within] == [reasons[view.stop or ""] for view in within]
        assert all(view.state != "running" for view in within)
        assert within


def test_a_timeline_in_pages_is_the_same(plant: Plant) -> None:
    one = plant.scope.chosen[0]
    whole: list[BandView] = run(timeline(plant.bands, one, SOME, 10_000, NOW)).bands
    found: list[BandView] = []
    next_us: int | None = SOME[0]
    while next_us is not None:
        page = run(timeline(plant.bands, one, (next_us, SOME[1]), 5, NOW))
        found += page.bands
        next_us = page.next_us
    assert found == whole
    assert run(timeline(plant.bands, one, (NOW, NOW + 1), 5, NOW)).bands == []


def test_files_have_all_rows(plant: Plant) -> None:
    async def rows() -> tuple[int, int]:
        question = Question(from_us=T0, to_us=NOW)
        stops_ = [row async for page in every_stop(plant.bands, plant.scope, question, Wanted()) for row in page]
        bands = [row async for page in every_band(plant.bands, plant.scope.chosen[0], SOME, NOW) for row in page]
        assert {len(row) for row in stops_} == {len(STOPS)}
        assert {len(row) for row in bands} == {len(BANDS)}
        return len(stops_), len(bands)

    one = plant.scope.chosen[0]
    assert run(rows()) == (len(ask(plant, (T0, NOW))), len(run(timeline(plant.bands, one, SOME, 9999, NOW)).bands))


def test_a_wrong_question_is_refused() -> None:
    plant = Plant(0)
    question = Question(from_us=T0, to_us=NOW, shift="night")
    with pytest.raises(BadInput):
        run(stops(plant.bands, plant.scope, question, Wanted(), None, 5))
    with pytest.raises(BadInput):
        run(pareto(plant.bands, plant.scope, question))


def said(from_us: int, to_us: int, reason: str) -> Explanation[str]:
    return Explanation(
        key="a", from_us=from_us, to_us=to_us, reason=reason, reason_name="", note="", by="pat", said_us=0
    )


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([], None),
        ([said(10, 20, "jam")], "jam"),
        ([said(0, 10, "jam")], None),  # ended as the stop began
        ([said(20, 30, "jam")], None),  # began as the stop ended
        ([said(0, 11, "jam")], "jam"),  # a late reading moved the begin
        ([said(19, 90, "jam")], "jam"),  # a late reading moved the end
        ([said(10, 10, "jam")], "jam"),  # said the moment it began
        ([said(12, 13, "jam"), said(15, 16, "tool")], "tool"),  # the one that was said last
        ([said(15, 16, "tool"), said(12, 13, "jam")], "jam"),
        ([said(10, 20, "jam"), said(10, 20, "")], ""),  # taken away
    ],
)
def test_a_stop_has_what_was_said_last_of_it(entries: list[Explanation[str]], reason: str | None) -> None:
    for found in (explanation_of((10, 20), entries), Said(entries).of((10, 20))):
        assert (found.reason if found else None) == reason


@pytest.mark.parametrize("number", range(share(5, 50)))
def test_much_that_was_said_is_found_as_one_by_one(number: int) -> None:
    chance = random.Random(number)
    begins = [chance.randrange(100) for _ in range(30)]
    entries = [said(begin, begin + chance.randrange(40), f"r{index}") for index, begin in enumerate(begins)]
    index = Said(entries)
    for begin in range(-5, 150, 3):
        span = begin, begin + 1 + chance.randrange(20)
        assert index.of(span) == explanation_of(span, entries), span


async def test_stops_are_shared_out_at_once_however_much_was_said_of_all_of_them() -> None:
    """Each entry is of all stops."""
    plant = Plant(3)
    plant.bands.said += [said(T0 - number, NOW + number, "jam") for number in range(20_000)]
    plant.bands.said = [msgspec.structs.replace(one, key=ALL[0]) for one in plant.bands.said]
    rows = {row.reason for row in await pareto(plant.bands, plant.of(ALL[0]), Question(from_us=T0, to_us=NOW))}
    assert rows == {"jam"}
