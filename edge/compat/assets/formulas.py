"""The older asset logger's own formulas, over seconds and counts: kept for its own pages, and nowhere else.

docs/availability.md is the definition that everything else follows. These differ from it: what has no divisor is 0
here where it is undefined there, shares are percent, means are hours, and a mean time to repair divides by stops
that began, not by those that ended.

What a short stop is it said in five ways: shorter than the asset's threshold, shorter than a form's, at most 300 s,
the same for short runs too, and by the classes of its summary. The first is the definition's and counts everywhere;
the classes are shown where its pages have them; the others contradicted these on the same page.
"""

from __future__ import annotations

from collections.abc import Sequence

HOUR_S = 3600
MEDIUM_S, LONG_S = 300, 1800  # its summary's classes: a stop is short before the one, long from the other on


def availability(run_s: float, stop_s: float) -> float:
    """Percent of the known time in which it ran; 0 where nothing is known."""
    return percent(run_s, run_s + stop_s)


def mtbf_h(run_s: float, stops: int) -> float:
    """Mean time between failures in hours: run time by stops; 0 where there were none."""
    return run_s / HOUR_S / stops if stops else 0.0


def mttr_h(stop_s: float, stops: int) -> float:
    """Mean time to repair in hours: stopped time by stops; 0 where there were none."""
    return stop_s / HOUR_S / stops if stops else 0.0


def percent(part: float, whole: float) -> float:
    """A share in percent; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


def mean(values: Sequence[float]) -> float:
    """The mean of figures of several assets, as its dashboard shows one for all; 0 of none."""
    return sum(values) / len(values) if values else 0.0


def by_length(lengths_s: Sequence[float]) -> dict[str, int]:
    """How many stops were short, medium and long, as its summary has them."""
    short = sum(length < MEDIUM_S for length in lengths_s)
    long = sum(length >= LONG_S for length in lengths_s)
    return {"short": short, "medium": len(lengths_s) - short - long, "long": long}
