"""Answers about assets, made of bands: the same code at hub and centre, so that both say the same numbers.

Here is by what both are asked (`Bands`, `Chosen`, `Scope`) and the figures of windows; stops, timelines and
reasons are beside it (stops.py, timeline.py, pareto.py). A key names an asset: at a hub its id, at the centre its
site and id. Nothing here knows where bands are kept, and no question costs more than a few lookups: whatever a
window holds, its figures are a difference of two bands.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Generic, Protocol, TypeVar

import msgspec

from edge.assets.answers.windows import Part, Question, SiteRules, check, parts
from edge.assets.figures import EMPTY, Edge, Window, edge, figures, window
from edge.assets.model import Band, Span, Sums
from edge.clock import iso
from edge.errors import BadInput
from edge.wire.assets import AvailabilityRow

PAIRS_MAX = 200_000  # windows of assets that one answer is made of: some seconds of a hub
BANDS_AT_ONCE = 10_000  # in memory for one question, and made in one go: some 8 MB
NO_ENDS = (0, 0)

K = TypeVar("K", bound=Hashable)


class StopRow(msgspec.Struct, Generic[K], frozen=True, kw_only=True):
    """A stop that counts, as bands have it.

    `began_us`: the time of its first band. `ended_us`: that of the band that ends it (`Band.ends_stop`), None while
    it goes on. `stopped_us`: how long it was stopped in all; of one that goes on, before its last band. `seen`:
    false where its wiring ended under it (the band that ends it is `anew`), so nobody saw how it ended.
    """

    key: K
    began_us: int
    ended_us: int | None
    stopped_us: int
    seen: bool = True


class Explanation(msgspec.Struct, Generic[K], frozen=True, kw_only=True):
    """What was said of a span of an asset's time. `reason` '': that it has none (any more)."""

    key: K
    from_us: int
    to_us: int
    reason: str
    reason_name: str
    note: str
    by: str
    said_us: int


class Bands(Protocol[K]):
    """Where bands are looked up. An asset of which nothing is known yet has none."""

    async def edges(self, assets: Sequence[K], times: Sequence[int]) -> Mapping[tuple[K, int], Band]:
        """The last band that begins before each time, for each asset; where there is none it is left out."""

    async def ends(self, assets: Sequence[K], spans: Sequence[Span]) -> Mapping[tuple[K, Span], tuple[int, int]]:
        """Of bands that end a stop (`Band.ends_stop`: running, or `anew`) with span[0] < at_us < span[1]: the
        longest `stopped_us` of stops with began_us >= span[0], and that of the one with began_us < span[0]; 0 for
        none. By asset and span; where there is neither it may be left out."""

    async def between(self, asset: K, span: Span, limit: int) -> list[Band]:
        """Bands that begin in the span, in order of time."""

    async def stops(
        self, assets: Sequence[K], span: Span, before: tuple[int, K] | None, limit: int
    ) -> list[StopRow[K]]:
        """Stops that count from a moment in the span on, by (began_us, key), greatest first; those that are less
        than `before`."""

    async def explanations(self, assets: Sequence[K], span: Span) -> list[Explanation[K]]:
        """What was said of times that overlap the span, in the order in which it was said."""


class Chosen(msgspec.Struct, Generic[K], frozen=True, kw_only=True):
    """An asset that is asked about. `short_us`: a stop that is shorter is a short one. `site`: '' at a hub."""

    key: K
    id: str
    name: str
    line: str = ""
    device: str = ""
    short_us: int
    site: str = ""


class RowPage(msgspec.Struct, frozen=True):
    """Rows of figures, and whether others follow."""

    rows: list[AvailabilityRow]
    more: bool


class Scope(msgspec.Struct, Generic[K], frozen=True, kw_only=True):
    """What is asked about: assets, the rules of their sites (by `Chosen.site`), and when it is asked."""

    chosen: Sequence[Chosen[K]]
    rules: Mapping[str, SiteRules]
    now_us: int

    def by_site(self) -> Iterable[tuple[SiteRules, list[Chosen[K]]]]:
        """The assets of each site, with its rules."""
        found: dict[str, list[Chosen[K]]] = {}
        for one in self.chosen:
            found.setdefault(one.site, []).append(one)
        return [(self.rules[site], assets) for site, assets in found.items()]

    @property
    def several_sites(self) -> bool:
        """Whether the assets are of more than one site."""
        return len({one.site for one in self.chosen}) > 1

    @property
    def one_zone(self) -> bool:
        """Whether the clocks on the walls of all sites agree."""
        return len({rules.zone.key for rules, _ in self.by_site()}) <= 1


async def availability(
    bands: Bands[K], scope: Scope[K], question: Question, names: Mapping[str, str] = {}
) -> list[AvailabilityRow]:
    """The figures of each asset, logger, line or site, or of all; or of each hour, day or shift of all, in order.

    `names` has the names of loggers and sites by their ids, for rows that are about these. Assets are in the order
    in which they were chosen, other rows by name, times by when they begin. Raises BadInput.
    """
    return (await availability_page(bands, scope, question, names)).rows


async def availability_page(
    bands: Bands[K],
    scope: Scope[K],
    question: Question,
    names: Mapping[str, str] = {},
    first: int = 0,
    limit: int | None = None,
) -> RowPage:
    """Some rows of `availability`, from number `first` on: no window of another row is looked at. Raises
    BadInput, also where these rows would take too long."""
    check(question, {shift for rules in scope.rules.values() for shift in rules.shifts})
    rows: dict[Hashable, _Row] = {}
    work = [
        _work(rows, parts(question, rules, scope.now_us, one_zone=scope.one_zone), assets, question, scope, names)
        for rules, assets in scope.by_site()
    ]
    ordered = list(rows.values()) if question.by == "asset" else sorted(rows.values(), key=lambda row: row.order)
    behind = len(ordered) if limit is None else first + limit
    shown = ordered[first:behind]
    few = [each.only({row.id for row in shown}) for each in work]
    few = [await _without_unknown(bands, each, pairs_of(few)) for each in few]
    require_few(pairs_of(few))
    for each in few:
        async for one, index, found in windows_of(bands, each.assets, each.spans):
            each.row(one, index).window += found
    return RowPage([_view(row) for row in shown], behind < len(ordered))


async def windows_of(
    bands: Bands[K], assets: Sequence[Chosen[K]], spans: Sequence[Span]
) -> AsyncIterator[tuple[Chosen[K], int, Window]]:
    """What there is of each asset in each span, which is told by its number. One lookup of bands for all of them,
    and one for the longest stops where anything stopped; where there are very many, in steps."""
    if not assets:
        return
    keys = [one.key for one in assets]
    size = max(1, BANDS_AT_ONCE // (2 * len(assets)))
    for first in range(0, len(spans), size):
        some = spans[first : first + size]
        found = await edges_of(bands, keys, {at_us for span in some for at_us in span})
        ends = await _ends(bands, keys, some, found)
        for index, span in enumerate(some, first):
            for one in assets:
                begin, end = found[one.key, span[0]], found[one.key, span[1]]
                yield one, index, window(span, begin, end, *ends.get((one.key, span), NO_ENDS))


async def edges_of(bands: Bands[K], keys: Sequence[K], times: Iterable[int]) -> dict[tuple[K, int], Edge]:
    """How each asset stands at each time."""
    ordered = sorted(set(times))
    found = await bands.edges(keys, ordered) if ordered and keys else {}
    return {(key, at_us): edge(found.get((key, at_us)), at_us) for key in keys for at_us in ordered}


async def _ends(
    bands: Bands[K], keys: Sequence[K], spans: Sequence[Span], found: Mapping[tuple[K, int], Edge]
) -> Mapping[tuple[K, Span], tuple[int, int]]:
    """The ends of stops in spans, of those assets that stood still in any, in those spans in which any did."""
    stood = [
        (key, span)
        for span in spans
        for key in keys
        if found[key, span[0]].sums.stop_us != found[key, span[1]].sums.stop_us
    ]
    some, times = (list(dict.fromkeys(each)) for each in zip(*stood, strict=True)) if stood else ([], [])
    return await bands.ends(some, times) if stood else {}


class _Row(msgspec.Struct, kw_only=True):
    """A row that windows are added to. `id`: what makes it this row; `order`: where it stands."""

    id: Hashable
    of: str
    name: str
    at_us: int
    to_us: int
    order: tuple[int, str, str]
    site: str = ""
    window: Window = EMPTY


class _Work(msgspec.Struct, Generic[K], kw_only=True):
    """The assets of a site and the windows they are looked at in. Either each asset has its row, or each window."""

    assets: list[Chosen[K]]
    spans: list[Span]
    of_asset: dict[K, _Row] = {}
    of_time: list[_Row] = []

    def row(self, one: Chosen[K], index: int) -> _Row:
        """The row that an asset's window is added to."""
        return self.of_time[index] if self.of_time else self.of_asset[one.key]

    def only(self, shown: AbstractSet[Hashable]) -> _Work[K]:
        """What of it is added to these rows."""
        if not self.of_time:
            assets = [one for one in self.assets if self.of_asset[one.key].id in shown]
            return msgspec.structs.replace(self, assets=assets)
        some = [(span, row) for span, row in zip(self.spans, self.of_time, strict=True) if row.id in shown]
        spans, of_time = [span for span, _ in some], [row for _, row in some]
        return msgspec.structs.replace(self, assets=self.assets if some else [], spans=spans, of_time=of_time)


def _work(
    rows: dict[Hashable, _Row],
    theirs: Sequence[Part],
    assets: list[Chosen[K]],
    question: Question,
    scope: Scope[K],
    names: Mapping[str, str],
) -> _Work[K]:
    """What there is to do of a site's assets; its rows are added to `rows`."""
    windows = [(part, span) for part in theirs for span in part.spans]
    work = _Work(assets=assets, spans=[span for _, span in windows])
    if not question.trend:
        work.of_asset = {one.key: _there(rows, _row_of(one, question, scope, names)) for one in assets}
    elif windows:
        work.of_time = [_there(rows, _row_of_time(part)) for part, _ in windows]
    else:
        work.assets = []
    return work


def pairs_of(work: Iterable[_Work[K]]) -> int:
    """How many windows of assets there are."""
    return sum(len(each.assets) * len(each.spans) for each in work)


def require_few(pairs: int) -> None:
    """Raises BadInput where so many windows of assets would take too long."""
    if pairs > PAIRS_MAX:
        raise BadInput(
            f"That is {pairs} windows of assets, and at most {PAIRS_MAX} are worked out at once.",
            hint="Ask for less time, fewer assets, longer windows or a smaller page.",
        )


async def known(bands: Bands[K], assets: Sequence[Chosen[K]], until_us: int) -> list[Chosen[K]]:
    """Those of them of which anything is known before a time."""
    found: list[Chosen[K]] = []
    for first in range(0, len(assets), BANDS_AT_ONCE):
        some = assets[first : first + BANDS_AT_ONCE]
        edges = await bands.edges([one.key for one in some], [until_us])
        found += [one for one in some if (one.key, until_us) in edges]
    return found


async def _without_unknown(bands: Bands[K], work: _Work[K], pairs: int) -> _Work[K]:
    """What is left of it, where there is much, without the assets of which nothing is known: their windows are
    added at once, since nothing is in them but their length."""
    if pairs <= BANDS_AT_ONCE or not work.spans:
        return work
    assets = await known(bands, work.assets, max(end_us for _, end_us in work.spans))
    there = {one.key for one in assets}
    lengths_us = [end_us - begin_us for begin_us, end_us in work.spans]
    for row, length_us in zip(work.of_time, lengths_us, strict=False):
        row.window += Window(length_us * (len(work.assets) - len(assets)), Sums(), 0)
    for one in work.assets if not work.of_time else []:
        if one.key not in there:
            work.of_asset[one.key].window += Window(sum(lengths_us), Sums(), 0)
    return msgspec.structs.replace(work, assets=assets)


def _there(rows: dict[Hashable, _Row], row: _Row) -> _Row:
    """The row with this row's id, which reaches at least as far; this one where there was none."""
    there = rows.setdefault(row.id, row)
    there.at_us, there.to_us = min(there.at_us, row.at_us), max(there.to_us, row.to_us)
    return there


def _row_of_time(part: Part) -> _Row:
    at_us, to_us = part.spans[0][0], part.spans[-1][1]
    return _Row(id=part.id, of=part.of, name=part.name, at_us=at_us, to_us=to_us, order=(at_us, part.id, ""))


def _row_of(one: Chosen[K], question: Question, scope: Scope[K], names: Mapping[str, str]) -> _Row:
    row_id, of, name = _what(one, question.by, scope, names)
    at_us = question.from_us
    to_us = max(at_us, min(question.to_us, scope.now_us))
    order, site = (0, name.casefold(), of), "" if question.by == "all" else one.site
    return _Row(id=row_id, of=of, name=name, at_us=at_us, to_us=to_us, order=order, site=site)


def _what(one: Chosen[K], by: str, scope: Scope[K], names: Mapping[str, str]) -> tuple[Hashable, str, str]:
    """What a row is about, with its id and name. Lines of one name at two sites are two lines."""
    if by == "asset":
        return one.key, one.id, one.name
    if by == "device":
        return (one.site, one.device), one.device, names.get(one.device, one.device)
    if by == "line":
        site = f"{names.get(one.site, one.site)}: " if scope.several_sites else ""
        return (one.site, one.line), one.line, site + one.line
    if by == "site":
        return one.site, one.site, names.get(one.site, one.site)
    return "all", "all", ""


def _view(row: _Row) -> AvailabilityRow:
    of = msgspec.structs.asdict(figures(row.window))
    return AvailabilityRow(of=row.of, name=row.name, at=iso(row.at_us), to=iso(row.to_us), site=row.site, **of)
