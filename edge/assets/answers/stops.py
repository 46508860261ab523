"""Stops, one by one, with the reasons that people gave them."""

from __future__ import annotations

import bisect
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Generic

import msgspec

from edge.assets.answers.asking import Bands, Chosen, Explanation, K, Scope, StopRow, edges_of
from edge.assets.answers.said import Said
from edge.assets.answers.windows import Question, check, parts
from edge.assets.calendar import merged
from edge.assets.model import SECOND_US, Span
from edge.clock import iso
from edge.wire.assets import StopView

STOPS_AT_ONCE = 500  # looked through at a time
NEAR_US = 6 * 3600 * 1_000_000  # spans said of that lie nearer to each other are looked up together


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which stops: with this reason ('': with none; None: all), and only those that go on."""

    reason: str | None = None
    open: bool = False


class StopPage(msgspec.Struct, Generic[K], frozen=True):
    """Stops, newest first, and behind which the next page begins; None where nothing follows."""

    stops: list[StopView]
    next: tuple[int, K] | None


def explanation_of(span: Span, said: Iterable[Explanation[K]]) -> Explanation[K] | None:
    """What was said last of a stop's span; `said` in the order in which it was said. One that gives no reason takes
    away what was said before."""
    last = None
    for one in said:
        if one.from_us < span[1] and span[0] < max(one.to_us, one.from_us + 1):
            last = one
    return last


def span_of(stop: StopRow[K], now_us: int) -> Span:
    """The time of a stop, until now where it goes on."""
    return stop.began_us, max(stop.began_us + 1, now_us if stop.ended_us is None else stop.ended_us)


async def stops(
    bands: Bands[K], scope: Scope[K], question: Question, wanted: Wanted, before: tuple[int, K] | None, limit: int
) -> StopPage[K]:
    """The stops that count from a moment of the question's windows on; those that go on, whenever they did. Raises
    BadInput."""
    check(question, {shift for rules in scope.rules.values() for shift in rules.shifts})
    found: list[StopView] = []
    last: tuple[int, K] | None = None
    async for row, view in _viewed(bands, scope, question, wanted, before):
        if len(found) == limit:
            return StopPage(found, last)
        found.append(view)
        last = row.began_us, row.key
    return StopPage(found, None)


async def stop(bands: Bands[K], scope: Scope[K], key: K, began_us: int) -> StopView | None:
    """One stop of a chosen asset; None where no stop counts from that very moment on."""
    rows = await whole(bands, {key: began_us})
    for row, said in await _explained(bands, await _measured(bands, rows, scope.now_us), scope.now_us):
        return _view(row, next(one for one in scope.chosen if one.key == key), said)
    return None


async def crossing(bands: Bands[K], keys: Sequence[K], at_us: int, now_us: int) -> list[StopRow[K]]:
    """The stops that are under way across a time, whole."""
    edges = await edges_of(bands, keys, [at_us])
    began = {key: edges[key, at_us].began_us for key in keys if edges[key, at_us].began_us}
    if at_us < now_us:
        return await whole(bands, began)
    return [_open(key, began_us, edges[key, at_us].stopped_us) for key, began_us in began.items()]


async def whole(bands: Bands[K], began: Mapping[K, int]) -> list[StopRow[K]]:
    """The stops that began at these times."""
    return [
        row
        for key, began_us in began.items()
        for row in await bands.stops([key], (began_us, began_us + 1), None, 1)
    ]


async def said_of(bands: Bands[K], rows: Sequence[StopRow[K]], now_us: int) -> dict[K, list[Explanation[K]]]:
    """All that was said of stops, by asset, in the order in which it was said."""
    found: dict[K, list[Explanation[K]]] = {}
    if rows:
        times = [span_of(row, now_us) for row in rows]
        reach = min(begin for begin, _ in times), max(end for _, end in times)
        for one in await bands.explanations(list({row.key: None for row in rows}), reach):
            found.setdefault(one.key, []).append(one)
    return found


async def explained(bands: Bands[K], key: K, said: Sequence[Explanation[K]]) -> list[StopRow[K]]:
    """The stops of an asset that overlap spans something was said of: where these are near each other, all stops
    between them are looked through in one go."""
    spans = _near((one.from_us, max(one.to_us, one.from_us + 1)) for one in said)
    edges = await edges_of(bands, [key], [begin for begin, _ in spans])
    found: dict[int, StopRow[K]] = {}
    for begin_us, end_us in spans:
        async for row in _through(bands, [key], (edges[key, begin_us].began_us or begin_us, end_us), None):
            found[row.began_us] = row
    return list(found.values())


def _near(spans: Iterable[Span]) -> list[Span]:
    return [(begin, end - NEAR_US) for begin, end in merged((begin, end + NEAR_US) for begin, end in spans)]


async def _viewed(
    bands: Bands[K], scope: Scope[K], question: Question, wanted: Wanted, before: tuple[int, K] | None
) -> AsyncIterator[tuple[StopRow[K], StopView]]:
    """The stops that are wanted, newest first."""
    chosen = {one.key: one for one in scope.chosen}
    allowed = {key: spans for spans, keys in _windows(scope, question) for key in keys}
    async for rows in _candidates(bands, scope, question, wanted, before):
        for row, said in await _explained(bands, await _measured(bands, rows, scope.now_us), scope.now_us):
            reason = said.reason if said is not None else ""
            right = wanted.reason is None or wanted.reason == reason
            if right and (wanted.open or _counts_in(row.began_us, allowed[row.key])):
                yield row, _view(row, chosen[row.key], said)


async def _candidates(
    bands: Bands[K], scope: Scope[K], question: Question, wanted: Wanted, before: tuple[int, K] | None
) -> AsyncIterator[list[StopRow[K]]]:
    """Stops among which those that are wanted are, newest first, some at a time."""
    keys = [one.key for one in scope.chosen]
    hull = question.from_us, min(question.to_us, scope.now_us)
    if wanted.open:
        rows = await crossing(bands, keys, scope.now_us, scope.now_us)
    elif wanted.reason:
        rows = await _of_reason(bands, keys, hull, wanted.reason, scope.now_us)
    else:
        async for some in _pages(bands, keys, hull, before):
            yield some
        return
    rows.sort(key=_place, reverse=True)
    rows = [row for row in rows if before is None or _place(row) < before]
    for first in range(0, len(rows), STOPS_AT_ONCE):
        yield rows[first : first + STOPS_AT_ONCE]


async def _of_reason(bands: Bands[K], keys: Sequence[K], hull: Span, reason: str, now_us: int) -> list[StopRow[K]]:
    """Stops that may have a reason, found by what was said; one that goes on behind the time asked about may have
    been given it there."""
    late = [span_of(row, now_us)[1] for row in await crossing(bands, keys, hull[1], now_us)]
    said: dict[K, list[Explanation[K]]] = {}
    for one in await bands.explanations(keys, (hull[0], max([hull[1], *late]))):
        if one.reason == reason:
            said.setdefault(one.key, []).append(one)
    return [row for key, entries in said.items() for row in await explained(bands, key, entries)]


async def _pages(
    bands: Bands[K], keys: Sequence[K], span: Span, before: tuple[int, K] | None
) -> AsyncIterator[list[StopRow[K]]]:
    while keys and span[0] < span[1]:
        rows = await bands.stops(keys, span, before, STOPS_AT_ONCE)
        yield rows
        if len(rows) < STOPS_AT_ONCE:
            return
        before = _place(rows[-1])


async def _through(
    bands: Bands[K], keys: Sequence[K], span: Span, before: tuple[int, K] | None
) -> AsyncIterator[StopRow[K]]:
    async for rows in _pages(bands, keys, span, before):
        for row in rows:
            yield row


async def _measured(bands: Bands[K], rows: Sequence[StopRow[K]], now_us: int) -> list[StopRow[K]]:
    """The same, those that go on with how long they have been stopped until now."""
    going = [row.key for row in rows if row.ended_us is None]
    edges = await edges_of(bands, going, [now_us])
    return [
        row if row.ended_us is not None else _open(row.key, row.began_us, edges[row.key, now_us].stopped_us)
        for row in rows
    ]


async def _explained(
    bands: Bands[K], rows: Sequence[StopRow[K]], now_us: int
) -> list[tuple[StopRow[K], Explanation[K] | None]]:
    said = {key: Said(entries) for key, entries in (await said_of(bands, rows, now_us)).items()}
    return [(row, said[row.key].of(span_of(row, now_us)) if row.key in said else None) for row in rows]


def _windows(scope: Scope[K], question: Question) -> Iterable[tuple[list[Span], list[K]]]:
    whole_time = msgspec.structs.replace(question, by="all")
    for rules, assets in scope.by_site():
        spans = [span for part in parts(whole_time, rules, scope.now_us) for span in part.spans]
        yield spans, [one.key for one in assets]


def _counts_in(at_us: int, spans: Sequence[Span]) -> bool:
    index = bisect.bisect_right(spans, at_us, key=lambda span: span[0])
    return index > 0 and at_us < spans[index - 1][1]


def _place(row: StopRow[K]) -> tuple[int, K]:
    return row.began_us, row.key


def _open(key: K, began_us: int, stopped_us: int) -> StopRow[K]:
    return StopRow(key=key, began_us=began_us, ended_us=None, stopped_us=stopped_us)


def _view(row: StopRow[K], of: Chosen[K], said: Explanation[K] | None) -> StopView:
    over = row.ended_us is not None and row.seen
    return StopView(
        id=str(row.began_us),
        asset=of.id,
        name=of.name,
        line=of.line,
        at=iso(row.began_us),
        to=None if row.ended_us is None else iso(row.ended_us),
        stopped_s=row.stopped_us / SECOND_US,
        short=row.stopped_us < of.short_us if over else None,
        reason=said.reason if said else "",
        reason_name=said.reason_name if said else "",
        note=said.note if said else "",
        said_by=said.by if said else "",
        said_at=iso(said.said_us) if said else None,
        site=of.site,
    )
