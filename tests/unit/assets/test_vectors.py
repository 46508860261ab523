"""Machines whose figures are worked by hand: where the older asset logger counted wrongly, and what is right.

A minute is the unit; each machine is heard of every minute while its logger is up.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from edge.assets.answers.asking import Chosen, Scope, availability
from edge.assets.answers.windows import Question, SiteRules
from edge.assets.calendar import Planned
from edge.assets.deriving import Asset, Wiring
from edge.wire.assets import AvailabilityRow
from tests.unit.assets.memory_bands import Watched, run
from tests.unit.assets.reference import Reading, Said

UTC = ZoneInfo("UTC")
MIN_US = 60_000_000
T0 = 1_700_000_000_000_000
RUN, STOP = True, False


def machine(*, short_s: float = 300, planned: Sequence[Planned] = ()) -> Watched:
    """A press on in1 of a logger, watched since T0."""
    wired = (Wiring(T0, "logger", "in1"),)
    return Watched(Asset(id="press", silent_s=180, short_stop_s=short_s, wirings=wired), planned, UTC)


def at(minute: float) -> int:
    """So many minutes after T0."""
    return T0 + round(minute * MIN_US)


def said(minute: float, value: Said) -> Reading:
    """What the input said."""
    return Reading("logger", "in1", at(minute), value)


def alive(since: int, until: int, started: int = -10) -> list[Reading]:
    """Signs of life, one a minute, of a logger that started at a minute."""
    return [Reading("logger", "alive", at(minute), (minute - started) * 60) for minute in range(since, until)]


def figures(watched: Watched, since: float, until: float, now: float) -> AvailabilityRow:
    """The figures from one minute until before another."""
    one = Chosen(key="press", id="press", name="Press", short_us=round(watched.asset.short_stop_s * 1e6))
    scope = Scope(chosen=[one], rules={"": SiteRules(zone=UTC)}, now_us=at(now))
    return run(availability(watched.bands, scope, Question(from_us=at(since), to_us=at(until))))[0]


def test_an_open_interval_counts_until_now() -> None:
    """Run since minute 0, asked at minute 30: the older payload said 0 until the machine stopped."""
    watched = machine()
    watched.hear([said(0, RUN), *alive(0, 30)], at(30))
    found = figures(watched, 0, 60, now=30)
    assert (found.run_s, found.availability, found.coverage) == (1800, 1, 1)
    assert found.to == figures(watched, 0, 30, now=30).to
    assert found.stops == 0


def test_an_open_stop_counts_until_now_and_is_neither_short_nor_over() -> None:
    watched = machine()
    watched.hear([said(0, RUN), said(20, STOP), *alive(0, 30)], at(30))
    found = figures(watched, 0, 60, now=30)
    assert (found.run_s, found.stop_s) == (1200, 600)
    assert found.availability == pytest.approx(2 / 3)
    assert (found.stops, found.ended_stops, found.short_stops) == (1, 0, 0)
    assert (found.mtbf_s, found.mttr_s, found.longest_stop_s) == (1200, None, 600)


def test_without_stops_a_mean_time_between_them_is_undefined_not_zero() -> None:
    watched = machine()
    watched.hear([said(0, RUN), *alive(0, 60)], at(60))
    found = figures(watched, 0, 60, now=60)
    assert (found.stops, found.mtbf_s, found.mttr_s) == (0, None, None)


def test_where_nothing_is_known_nothing_is_claimed() -> None:
    found = figures(machine(), 0, 60, now=60)
    assert (found.availability, found.coverage, found.unknown_s) == (None, 0, 3600)


@pytest.mark.parametrize(("length_us", "short"), [(299_999_999, 1), (300_000_000, 0), (300_000_001, 0)])
def test_a_stop_of_exactly_the_threshold_is_not_short(length_us: int, short: int) -> None:
    watched = machine()
    again = Reading("logger", "in1", at(10) + length_us, RUN)
    watched.hear([said(0, RUN), said(10, STOP), again, *alive(0, 20)], at(20))
    found = figures(watched, 0, 20, now=20)
    assert (found.ended_stops, found.short_stops) == (1, short)


def test_a_threshold_of_zero_knows_no_short_stops() -> None:
    watched = machine(short_s=0)
    watched.hear([said(0, RUN), said(10, STOP), said(10.001, RUN), *alive(0, 20)], at(20))
    assert figures(watched, 0, 20, now=20).short_stops == 0


def test_a_clock_two_weeks_back_leaves_no_trace_once_it_is_put_right() -> None:
    """The older server moved its last change to 1970, and the next duration was 56 years."""
    watched = machine()
    off_us = 14 * 24 * 60 * MIN_US
    told = [said(0, RUN), said(20, STOP), said(26, RUN), *alive(0, 30)]
    wrong = [Reading(one.device, one.key, one.at_us - off_us, one.value) for one in told]
    watched.hear(wrong, at(30))
    watched.evidence.readings[:] = told
    watched.work_out(T0 - off_us, at(30))
    found = figures(watched, 0, 30, now=30)
    assert (found.run_s, found.stop_s, found.unknown_s) == (24 * 60, 6 * 60, 0)
    before = figures(watched, -15 * 24 * 60, 0, now=30)
    assert (before.run_s, before.stop_s, before.availability) == (0, 0, None)


def test_a_window_has_what_is_in_it_and_nothing_else() -> None:
    """The older windows restricted events and showed the run time of all time."""
    watched = machine()
    watched.hear([said(0, RUN), said(20, STOP), said(30, RUN), *alive(0, 60)], at(60))
    found = figures(watched, 25, 35, now=60)
    assert (found.run_s, found.stop_s, found.availability) == (300, 300, 0.5)
    assert (found.stops, found.ended_stops, found.longest_stop_s) == (0, 1, 300)
    ends_at_the_begin = figures(watched, 30, 60, now=60)
    assert (ends_at_the_begin.ended_stops, ends_at_the_begin.stop_s) == (1, 0)
    assert figures(watched, 20, 30, now=60).ended_stops == 0
    assert figures(watched, 20, 30, now=60).stops == 1


@pytest.mark.parametrize("word", ["ERROR", "MAINTENANCE", "error", "E42"])
def test_error_is_stopped_time(word: str) -> None:
    """The older server counted it nowhere, so a machine in error was available."""
    watched = machine()
    watched.hear([said(0, "RUNNING"), said(20, word), said(40, "RUNNING"), *alive(0, 60)], at(60))
    found = figures(watched, 0, 60, now=60)
    assert (found.run_s, found.stop_s, found.stops) == (2400, 1200, 1)


def test_what_cannot_be_told_is_unknown() -> None:
    watched = machine()
    watched.hear([said(0, "RUNNING"), said(20, "UNKNOWN"), said(40, "RUNNING"), *alive(0, 60)], at(60))
    found = figures(watched, 0, 60, now=60)
    assert (found.run_s, found.unknown_s, found.stops) == (2400, 1200, 0)
    assert found.coverage == pytest.approx(2 / 3)


def test_micro_gaps_are_stops_and_lose_no_time() -> None:
    """Ten stops of 0.4 s: the older server wrote no event of less than a second, and lost the time of each."""
    watched = machine()
    told = [said(0, RUN), *alive(0, 20)]
    for number in range(10):
        told += [said(5 + number, STOP), Reading("logger", "in1", at(5 + number) + 400_000, RUN)]
    watched.hear(told, at(20))
    found = figures(watched, 0, 20, now=20)
    assert (found.stops, found.short_stops, found.stop_s, found.run_s) == (10, 10, 4, 1196)


def test_a_logger_that_is_switched_off_leaves_unknown_time_and_no_stop() -> None:
    """Off from minute 20 to 40 while the machine ran; it states what it sees as it starts."""
    watched = machine()
    watched.hear([said(0, RUN), *alive(0, 20), said(40, RUN), *alive(40, 60, started=40)], at(60))
    found = figures(watched, 0, 60, now=60)
    assert (found.run_s, found.unknown_s, found.stops) == (39 * 60, 21 * 60, 0)


def test_a_restart_between_two_signs_of_life_is_seen() -> None:
    """Off for half a minute: no silence, but its uptime went back, and it states its input 10 s later."""
    watched = machine()
    told = [said(0, RUN), *alive(0, 21), *alive(22, 60, started=21), said(22 + 1 / 6, RUN)]
    watched.hear(told, at(60))
    found = figures(watched, 0, 60, now=60)
    assert found.unknown_s == pytest.approx(120 + 10)
    assert found.stops == 0


def test_a_stop_in_planned_time_counts_from_the_first_moment_outside_of_it() -> None:
    """Stopped from minute 20 to 50, planned until 30: a stop of 20 minutes that begins at 30."""
    watched = machine(planned=[Planned(once=(at(10), at(30)))])
    watched.hear([said(0, RUN), said(20, STOP), said(50, RUN), *alive(0, 60)], at(60))
    found = figures(watched, 0, 60, now=60)
    assert (found.run_s, found.planned_s, found.stop_s) == (30 * 60, 600, 1200)
    assert (found.stops, found.longest_stop_s, found.availability) == (1, 1200, 0.6)
    assert figures(watched, 0, 30, now=60).stops == 0


def test_what_lies_in_planned_time_altogether_counts_nowhere() -> None:
    watched = machine(planned=[Planned(once=(at(10), at(30)))])
    watched.hear([said(0, RUN), said(12, STOP), said(28, RUN), *alive(0, 60)], at(60))
    found = figures(watched, 0, 60, now=60)
    assert (found.stops, found.ended_stops, found.stop_s, found.availability) == (0, 0, 0, 1)


def test_two_loggers_that_disagree_do_not_mix() -> None:
    """Wired to another logger from minute 30 on: what the first says after that is of some other machine."""
    watched = machine()
    second = Wiring(at(30), "other", "in2")
    watched.asset = Asset(id="press", silent_s=180, short_stop_s=300, wirings=(watched.asset.wirings[0], second))
    told = [said(0, RUN), *alive(0, 60), said(40, STOP)]
    told += [Reading("other", "in2", at(29), RUN), *(Reading("other", "alive", at(m), m * 60) for m in range(60))]
    watched.hear(told, at(60))
    found = figures(watched, 0, 60, now=60)
    assert (found.run_s, found.unknown_s, found.stops) == (3600, 0, 0)


def test_an_input_that_was_the_wrong_way_round_is_put_right_for_the_past() -> None:
    watched = machine()
    watched.hear([said(0, RUN), said(20, STOP), said(50, RUN), *alive(0, 60)], at(60))
    watched.asset = Asset(
        id="press", silent_s=180, short_stop_s=300, wirings=(Wiring(T0, "logger", "in1", inverted=True),)
    )
    watched.work_out(T0, at(60))
    found = figures(watched, 0, 60, now=60)
    assert (found.run_s, found.stop_s, found.stops) == (1800, 1800, 1)
