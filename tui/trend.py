"""The last values of a key as a line of bars."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"  # where there is no number


def sparkline(values: Sequence[float | None], width: int) -> str:
    """The newest `width` values, each one bar between the least and the greatest; a gap for None.

    Values that are all the same are drawn half high: nothing moves.
    """
    shown = list(values)[-width:]
    numbers = [value for value in shown if value is not None]
    if not numbers:
        return ""
    least, span = min(numbers), max(numbers) - min(numbers)
    return "".join(GAP if value is None else _bar(value, least, span) for value in shown)


def _bar(value: float, least: float, span: float) -> str:
    if span == 0:
        return BARS[len(BARS) // 2 - 1]
    return BARS[min(len(BARS) - 1, int((value - least) / span * len(BARS)))]
