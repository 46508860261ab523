"""How much of the stopped time each reason has: what to mend first.

The whole is the difference of sums, as every figure is. Only stops that something was said of are looked at one by
one; what is left of the whole has no reason.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping, Sequence

import msgspec

from edge.assets.answers.asking import (
    BANDS_AT_ONCE,
    Bands,
    Explanation,
    K,
    Scope,
    StopRow,
    edges_of,
    known,
    require_few,
)
from edge.assets.answers.said import Said
from edge.assets.answers.stops import crossing, explained, span_of
from edge.assets.answers.windows import Question, check, parts
from edge.assets.figures import Edge
from edge.assets.model import SECOND_US, Span
from edge.wire.assets import ParetoRow


class _Share(msgspec.Struct):
    """What one reason has. `name`: as it was called when it was said last."""

    name: str = ""
    stop_us: int = 0
    stops: int = 0


class _Shares:
    """Adds up by reason; '' is everything until some of it is explained."""

    def __init__(self) -> None:
        self.by_reason: dict[str, _Share] = {}

    def whole(self, begin: Edge, end: Edge) -> None:
        """All that stopped between two edges."""
        sums = end.sums - begin.sums
        self._add("", "", sums.stop_us, sums.stops)

    def explained(self, said: Explanation[K], stop_us: int, stops: int) -> None:
        """Some of that has a reason."""
        self._add("", "", -stop_us, -stops)
        self._add(said.reason, said.reason_name, stop_us, stops)

    def _add(self, reason: str, name: str, stop_us: int, stops: int) -> None:
        share = self.by_reason.setdefault(reason, _Share())
        share.name = name or share.name
        share.stop_us += stop_us
        share.stops += stops


async def pareto(bands: Bands[K], scope: Scope[K], question: Question) -> list[ParetoRow]:
    """Stopped time and stops of the chosen assets by reason, the most time first. Raises BadInput."""
    question = msgspec.structs.replace(question, by="all")
    check(question, {shift for rules in scope.rules.values() for shift in rules.shifts})
    shares = _Shares()
    names: dict[str, str] = {}
    work = []
    for rules, assets in scope.by_site():
        spans = [span for part in parts(question, rules, scope.now_us) for span in part.spans]
        there = (
            await known(bands, assets, spans[-1][1])
            if spans and len(spans) * len(assets) > BANDS_AT_ONCE
            else assets
        )
        if spans:
            work.append(([one.key for one in there], spans))
        names.update(rules.reasons)
    require_few(sum(len(keys) * len(spans) for keys, spans in work))
    for keys, spans in work:
        await _of_site(bands, keys, spans, scope.now_us, shares)
    return _rows(shares, names)


async def _of_site(bands: Bands[K], keys: Sequence[K], spans: Sequence[Span], now_us: int, shares: _Shares) -> None:
    said = await _said(bands, keys, (spans[0][0], spans[-1][1]), now_us)
    times = {at_us for span in spans for at_us in span}
    size = max(1, BANDS_AT_ONCE // len(times))
    for first in range(0, len(keys), size):
        some = keys[first : first + size]
        edges = await edges_of(bands, some, times)
        for key in some:
            cuts = [(span, edges[key, span[0]], edges[key, span[1]]) for span in spans]
            for _, begin, end in cuts:
                shares.whole(begin, end)
            entries = said.get(key, [])
            its = Said(entries)
            for row in await explained(bands, key, entries):
                last = its.of(span_of(row, now_us))
                if last is not None and last.reason:
                    shares.explained(last, *_within(row, cuts))


async def _said(bands: Bands[K], keys: Sequence[K], hull: Span, now_us: int) -> dict[K, list[Explanation[K]]]:
    """All that was said of stops in a time, by asset: also what was said of one of them before or behind it."""
    edges = await edges_of(bands, keys, [hull[0]])
    begins = [edge.began_us for edge in edges.values() if edge.began_us]
    ends = [span_of(row, now_us)[1] for row in await crossing(bands, keys, hull[1], now_us)]
    found: dict[K, list[Explanation[K]]] = {}
    for one in await bands.explanations(keys, (min([hull[0], *begins]), max([hull[1], *ends]))):
        found.setdefault(one.key, []).append(one)
    return found


def _within(row: StopRow[K], cuts: Sequence[tuple[Span, Edge, Edge]]) -> tuple[int, int]:
    """How long a stop was stopped within windows, and whether (1 or 0) it counts in one of them."""
    stop_us = stops = 0
    first = bisect.bisect_right(cuts, row.began_us, key=lambda part: part[0][1])
    for span, begin, end in itertools.islice(cuts, first, None):
        if row.ended_us is not None and row.ended_us <= span[0]:
            break
        until_us = end.stopped_us if end.began_us == row.began_us else row.stopped_us
        since_us = begin.stopped_us if begin.began_us == row.began_us else 0
        stop_us += until_us - since_us
        stops += row.began_us >= span[0]
    return stop_us, stops


def _rows(shares: _Shares, names: Mapping[str, str]) -> list[ParetoRow]:
    all_us = sum(share.stop_us for share in shares.by_reason.values())
    rows = [
        ParetoRow(
            reason=reason,
            name=names.get(reason, share.name),
            stop_s=share.stop_us / SECOND_US,
            stops=share.stops,
            share=share.stop_us / all_us if all_us else None,
        )
        for reason, share in shares.by_reason.items()
        if share.stop_us or share.stops
    ]
    return sorted(rows, key=lambda row: (-row.stop_s, -row.stops, row.name))
