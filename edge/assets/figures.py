"""The figures of windows, made of sums; docs/availability.md says what each means."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from edge.assets.model import SECOND_US, Band, Span, Sums
from edge.wire.assets import Figures


class Edge(msgspec.Struct, frozen=True, gc=False):
    """An asset at one end of a window: the sums of all before, and the stop that is under way across it.

    `began_us`: since when that stop counts, 0 for none; `stopped_us`: how long it has been stopped.
    """

    sums: Sums = Sums()
    began_us: int = 0
    stopped_us: int = 0


NOTHING = Edge()  # before an asset's first band


def edge(band: Band | None, at_us: int) -> Edge:
    """The edge at a time; `band` is the last that begins before it, None for none. What begins at it is not in."""
    if band is None:
        return NOTHING
    if band.ends_stop or not band.began_us:
        return Edge(band.sums_at(at_us))
    return Edge(band.sums_at(at_us), band.began_us, band.stopped_at(at_us))


class Window(msgspec.Struct, frozen=True, gc=False):
    """What there is of an asset in one window, or of several put together. `length_us` is cut at the present."""

    length_us: int
    sums: Sums
    longest_us: int

    def __add__(self, other: Window) -> Window:
        return Window(
            self.length_us + other.length_us, self.sums + other.sums, max(self.longest_us, other.longest_us)
        )


EMPTY = Window(0, Sums(), 0)


def window(span: Span, begin: Edge, end: Edge, within_us: int = 0, across_us: int = 0) -> Window:
    """The window between two edges of one asset.

    `within_us`: the longest stop that began in it and ended in it, and `across_us`: how long the stop was, in all,
    that was under way at its begin and ended in it; 0 for none. The one under way at its end is in the edge.
    """
    longest_us = within_us
    if across_us:
        longest_us = max(longest_us, across_us - begin.stopped_us)
    if end.began_us:
        longest_us = max(longest_us, end.stopped_us - (begin.stopped_us if end.began_us < span[0] else 0))
    return Window(span[1] - span[0], end.sums - begin.sums, longest_us)


def together(windows: Iterable[Window]) -> Window:
    """Of several windows, or several assets: what was in all of them."""
    return sum(windows, EMPTY)


def figures(of: Window) -> Figures:
    """The figures, in seconds; what has no divisor is None."""
    sums = of.sums
    known_us, due_us = sums.run_us + sums.stop_us, of.length_us - sums.planned_us
    return Figures(
        availability=_share(sums.run_us, known_us),
        coverage=_share(known_us, due_us),
        run_s=sums.run_us / SECOND_US,
        stop_s=sums.stop_us / SECOND_US,
        planned_s=sums.planned_us / SECOND_US,
        unknown_s=(due_us - known_us) / SECOND_US,
        stops=sums.stops,
        ended_stops=sums.ended_stops,
        short_stops=sums.short_stops,
        mtbf_s=_share(sums.run_us / SECOND_US, sums.stops),
        mttr_s=_share(sums.stop_us / SECOND_US, sums.ended_stops),
        longest_stop_s=of.longest_us / SECOND_US,
    )


def _share(part: float, of: float) -> float | None:
    return part / of if of else None
