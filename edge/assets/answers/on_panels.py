"""What a panel shows of a machine: one figure over a time that has a name. Hub and centre ask the same."""

from __future__ import annotations

from edge.assets.answers.windows import EVERY_DAY, Question, SiteRules
from edge.assets.calendar import spans
from edge.wire.assets import AvailabilityRow

DAY_US = 86_400 * 1_000_000
LENGTHS_US = {"24h": DAY_US, "7d": 7 * DAY_US}


def question_over(over: str, rules: SiteRules, now_us: int) -> Question | None:
    """The time that is meant: the last 24 hours or 7 days, today, or the shift that is under way; None where none
    is."""
    length_us = LENGTHS_US.get(over)
    if length_us is not None:
        return Question(from_us=now_us - length_us, to_us=now_us)
    now = now_us, now_us + 1
    if over == "day":
        found = [(begin, "") for begin, _ in spans(EVERY_DAY, rules.zone, now)]
    else:
        found = [
            (begin, name)
            for name, shift in rules.shifts.items()
            for begin, end in spans(shift.times, rules.zone, now)
            if begin <= now_us < end
        ]
    return Question(from_us=found[0][0], to_us=now_us, shift=found[0][1]) if found else None


def figure(row: AvailabilityRow, show: str) -> float | None:
    """The one that is shown."""
    figures = {"availability": row.availability, "mtbf": row.mtbf_s, "mttr": row.mttr_s, "stops": float(row.stops)}
    return figures[show]
