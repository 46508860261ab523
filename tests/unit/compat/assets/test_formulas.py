"""The older asset logger's formulas, with numbers worked by hand, and what the definition says of the same time."""

from __future__ import annotations

import pytest

from edge.assets.figures import Window, figures
from edge.assets.model import SECOND_US, Sums
from edge.compat.assets import formulas


def test_a_shift_with_three_stops() -> None:
    """7 h run, 1 h stopped, three stops: 87.5 %, 2 h 20 min between stops, 20 min each."""
    run_s, stop_s = 7 * 3600, 3600
    assert formulas.availability(run_s, stop_s) == 87.5
    assert formulas.mtbf_h(run_s, 3) == pytest.approx(2 + 20 / 60)
    assert formulas.mttr_h(stop_s, 3) == pytest.approx(20 / 60)


def test_what_has_no_divisor_was_zero_and_is_undefined() -> None:
    assert (formulas.availability(0, 0), formulas.mtbf_h(3600, 0), formulas.mttr_h(0, 0)) == (0, 0, 0)
    ours = figures(Window(3600 * SECOND_US, Sums(), 0))
    assert (ours.availability, ours.mtbf_s, ours.mttr_s) == (None, None, None)


def test_a_stop_that_goes_on_was_one_that_had_been_repaired() -> None:
    """Two stops began, one of them ended: 10 min and 50 min so far."""
    sums = Sums(run_us=3600 * SECOND_US, stop_us=3600 * SECOND_US, stops=2, ended_stops=1)
    assert formulas.mttr_h(3600, 2) == 0.5
    assert figures(Window(7200 * SECOND_US, sums, 0)).mttr_s == 3600


def test_the_dashboard_has_a_mean_of_shares_and_the_reports_a_share_of_sums() -> None:
    """One machine ran 9 of 10 hours, the other 0 of 2: 45 % as the dashboard had it, 75 % of the time."""
    each = [formulas.availability(9, 1), formulas.availability(0, 2)]
    assert formulas.mean(each) == 45
    assert formulas.availability(9 + 0, 1 + 2) == 75
    assert formulas.mean([]) == 0


def test_stops_by_length_begin_at_five_minutes_and_half_an_hour() -> None:
    lengths = [0, 299.9, 300, 1799, 1800, 86_400]
    assert formulas.by_length(lengths) == {"short": 2, "medium": 2, "long": 2}
