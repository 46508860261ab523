"""Figures of assets, lines, loggers and sites, and of hours, days and shifts: sums of windows, by definition."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec
import pytest

from edge.assets.answers.asking import Chosen, Scope, availability, availability_page
from edge.assets.answers.pareto import pareto
from edge.assets.answers.windows import Question, SiteRules
from edge.clock import iso
from edge.errors import BadInput
from edge.wire.assets import AvailabilityRow
from tests.tools import share
from tests.unit.assets import reference
from tests.unit.assets.memory_bands import run
from tests.unit.assets.plant import DAY_US, EARLY, HOUR_US, MACHINES, MIN_US, NAMES, NOW, RULES, T0, Plant

WHOLE = (T0, NOW)
SOME = (T0 + 7 * HOUR_US + 13 * MIN_US, T0 + 2 * DAY_US + 9 * HOUR_US)
ALL = [asset for asset, *_ in MACHINES]


@pytest.fixture(params=range(share(2, 25)), name="plant", scope="module")
def some_plant(request: pytest.FixtureRequest) -> Plant:
    return Plant(request.param)


def ask(plant: Plant, span: tuple[int, int], by: str, shift: str = "") -> list[AvailabilityRow]:
    question = Question(from_us=span[0], to_us=span[1], by=by, shift=shift)
    return run(availability(plant.bands, plant.scope, question, NAMES))


def same(row: AvailabilityRow, expected: reference.Answer) -> None:
    """The row has these figures."""
    counts = row.stops, row.ended_stops, row.short_stops
    assert counts == (expected.stops, expected.ended_stops, expected.short_stops)
    times = row.run_s, row.stop_s, row.planned_s, row.unknown_s, row.longest_stop_s
    by_definition = (
        expected.run_us,
        expected.stop_us,
        expected.planned_us,
        expected.unknown_us,
        expected.longest_us,
    )
    assert times == pytest.approx([us / 1e6 for us in by_definition])
    assert row.availability == pytest.approx(expected.availability)
    assert row.coverage == pytest.approx(expected.coverage)
    assert row.mtbf_s == (None if expected.mtbf_us is None else pytest.approx(expected.mtbf_us / 1e6))
    assert row.mttr_s == (None if expected.mttr_us is None else pytest.approx(expected.mttr_us / 1e6))


@pytest.mark.parametrize("span", [WHOLE, SOME, (SOME[0], NOW + DAY_US), (NOW - HOUR_US, NOW)])
@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("asset", {asset: [asset] for asset in ALL}),
        ("device", {"dev-1": ALL[:2], "dev-2": ALL[2:]}),
        ("line", {"": [ALL[3]], "Line 1": ALL[:2], "Line 2": [ALL[2]]}),
        ("site", {"": ALL}),
        ("all", {"all": ALL}),
    ],
)
def test_rows_are_sums_of_their_assets(
    plant: Plant, span: tuple[int, int], by: str, groups: dict[str, list[str]]
) -> None:
    rows = ask(plant, span, by)
    assert [row.of for row in rows] == list(groups)
    for row in rows:
        assert (row.at, row.to) == (iso(span[0]), iso(min(span[1], NOW)))
        same(row, plant.expected(groups[row.of], [span]))


def test_loggers_and_assets_have_their_names(plant: Plant) -> None:
    assert [row.name for row in ask(plant, WHOLE, "device")] == ["North", "South"]
    assert [row.name for row in ask(plant, WHOLE, "asset")] == ["Press", "Saw", "Oven", "Packer"]


def test_a_shift_has_its_own_time_of_each_day_and_nothing_else(plant: Plant) -> None:
    early = [(max(begin, SOME[0]), min(end, SOME[1])) for begin, end in EARLY]
    rows = ask(plant, SOME, "asset", "early")
    for row in rows:
        same(row, plant.expected([row.of], [span for span in early if span[0] < span[1]]))


@pytest.mark.parametrize(("by", "step_us"), [("hour", HOUR_US), ("day", DAY_US)])
def test_a_trend_is_the_whole_cut_in_pieces(plant: Plant, by: str, step_us: int) -> None:
    begins = range(SOME[0] // step_us * step_us, SOME[1], step_us)
    rows = ask(plant, SOME, by)
    assert len(rows) == len(begins)
    for row, begin in zip(rows, begins, strict=True):
        span = max(begin, SOME[0]), min(begin + step_us, SOME[1])
        assert (row.at, row.to) == (iso(span[0]), iso(span[1]))
        same(row, plant.expected(ALL, [span]))
    whole = ask(plant, SOME, "all")[0]
    for figure in ("run_s", "stop_s", "planned_s", "unknown_s", "stops", "ended_stops", "short_stops"):
        assert sum(getattr(row, figure) for row in rows) == pytest.approx(getattr(whole, figure))


def test_a_trend_by_shift_names_each_shift(plant: Plant) -> None:
    rows = ask(plant, (T0, T0 + 2 * DAY_US), "shift")
    assert [(row.of, row.name) for row in rows] == [("early", "Early"), ("late", "Late")] * 2
    same(rows[2], plant.expected(ALL, [EARLY[1]]))
    assert [row.of for row in ask(plant, (T0, T0 + 2 * DAY_US), "shift", "late")] == ["late", "late"]


def test_a_window_that_has_not_come_is_empty(plant: Plant) -> None:
    row = ask(plant, (NOW + 1, NOW + DAY_US), "all")[0]
    assert (row.availability, row.coverage, row.stops, row.at) == (None, None, 0, row.to)
    assert ask(plant, (NOW + 1, NOW + DAY_US), "day") == []


def test_whatever_is_asked_takes_few_lookups(plant: Plant) -> None:
    for by, lookups in (("asset", 2), ("all", 2), ("day", 1 + 3)):
        plant.bands.lookups = 0
        ask(plant, WHOLE, by)
        assert plant.bands.lookups <= lookups, by


def test_very_many_windows_are_asked_in_steps_and_answer_the_same(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ask(plant, SOME, "hour")
    monkeypatch.setattr("edge.assets.answers.asking.BANDS_AT_ONCE", 20)
    assert ask(plant, SOME, "hour") == rows


def test_sites_in_several_zones_have_their_own_days_and_the_same_hours(plant: Plant) -> None:
    """Two machines are in Kolkata: their day is another one, but its row is the same date's."""
    kolkata = SiteRules(zone=ZoneInfo("Asia/Kolkata"))
    chosen = [
        msgspec.structs.replace(one, site="pune" if one.device == "dev-2" else "kiel") for one in plant.scope.chosen
    ]
    scope = Scope(chosen=chosen, rules={"kiel": RULES, "pune": kolkata}, now_us=NOW)
    question = Question(from_us=T0, to_us=T0 + 2 * DAY_US, by="day")
    rows = run(availability(plant.bands, scope, question))
    assert len(rows) == 3
    later = 5 * HOUR_US + 30 * MIN_US
    first = plant.expected(ALL[:2], [(T0, T0 + DAY_US)]), plant.expected(ALL[2:], [(T0, T0 + DAY_US - later)])
    same(rows[0], reference.together(first))
    hours = run(availability(plant.bands, scope, msgspec.structs.replace(question, by="hour")))
    assert len(hours) == 48
    lines = run(availability(plant.bands, scope, msgspec.structs.replace(question, by="line"), {"kiel": "Kiel"}))
    assert [row.name for row in lines] == ["Kiel: Line 1", "pune: ", "pune: Line 2"]


def test_a_shift_that_only_one_site_has_is_of_its_assets_alone(plant: Plant) -> None:
    other = Chosen(key="asset-9", id="asset-9", name="Far", short_us=1, site="far")
    scope = Scope(
        chosen=[*plant.scope.chosen, other], rules={"": RULES, "far": SiteRules(zone=RULES.zone)}, now_us=NOW
    )
    rows = run(availability(plant.bands, scope, Question(from_us=T0, to_us=NOW, shift="early")))
    assert (rows[-1].unknown_s, rows[-1].coverage) == (0, None)
    assert rows[0].run_s > 0


def test_what_cannot_be_answered_is_refused(plant: Plant) -> None:
    with pytest.raises(BadInput, match="no shift"):
        ask(plant, WHOLE, "asset", "night")


def test_without_assets_there_is_nothing() -> None:
    plant = Plant(0)
    question = Question(from_us=T0, to_us=NOW)
    assert run(availability(plant.bands, plant.of(), question)) == []
    assert run(availability(plant.bands, plant.of(), msgspec.structs.replace(question, by="hour"))) == []


@pytest.mark.parametrize("by", ["asset", "device", "hour", "shift"])
def test_pages_of_rows_are_the_same_as_the_whole(plant: Plant, by: str) -> None:
    question = Question(from_us=SOME[0], to_us=SOME[1], by=by)
    found: list[AvailabilityRow] = []
    more = True
    while more:
        page = run(availability_page(plant.bands, plant.scope, question, NAMES, len(found), 3))
        found += page.rows
        more = page.more
    assert found == ask(plant, SOME, by)


@pytest.mark.parametrize("by", ["asset", "hour"])
def test_an_asset_of_which_nothing_is_known_is_unknown_however_much_is_asked(
    plant: Plant, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Chosen(key="asset-9", id="asset-9", name="New", short_us=1)
    scope = Scope(chosen=[*plant.scope.chosen, other], rules={"": RULES}, now_us=NOW)
    question = Question(from_us=SOME[0], to_us=SOME[1], by=by, shift="early")
    rows = run(availability(plant.bands, scope, question))
    monkeypatch.setattr("edge.assets.answers.asking.BANDS_AT_ONCE", 1)
    assert run(availability(plant.bands, scope, question)) == rows
    assert all(row.unknown_s > 0 for row in rows)


def test_what_would_take_too_long_is_refused(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.assets.answers.asking.PAIRS_MAX", 40)
    with pytest.raises(BadInput, match="windows of assets"):
        ask(plant, WHOLE, "hour")
    question = Question(from_us=T0, to_us=NOW, by="hour")
    page = run(availability_page(plant.bands, plant.scope, question, NAMES, 5, 10))
    assert (len(page.rows), page.more) == (10, True)
    monkeypatch.setattr("edge.assets.answers.asking.PAIRS_MAX", 4)
    with pytest.raises(BadInput, match="windows of assets"):
        run(pareto(plant.bands, plant.scope, Question(from_us=T0, to_us=NOW, shift="early")))
