"""An asset's states one after the other, each with the stop it is part of and that stop's reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from edge.assets.answers.asking import Bands, Chosen, K, StopRow
from edge.assets.answers.said import Said
from edge.assets.answers.stops import said_of, span_of, whole
from edge.assets.model import Band, Span, State
from edge.clock import iso
from edge.wire.assets import BandView

READ_AT_ONCE = 500


class BandPage(msgspec.Struct, frozen=True):
    """States in order of time, and when the next page begins; None where nothing follows."""

    bands: list[BandView]
    next_us: int | None


class _Piece(msgspec.Struct):
    """A state from a time on, as people see it. `began_us`: of the stop it is part of, 0 for none."""

    at_us: int
    state: State
    began_us: int


class _Pieces:
    """Collects bands that differ in nothing that is shown, and the ends of stops."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.list = [_Piece(span[0], State.UNKNOWN, 0)]
        self.ended: dict[int, Band] = {}

    def add(self, band: Band) -> None:
        """The next band; one that begins before the span counts from its begin."""
        at_us, began_us = max(band.at_us, self._span[0]), band.began_us
        if band.ends_stop:
            self.ended[began_us] = band
            began_us = 0
        last = self.list[-1]
        if (last.state, last.began_us) == (band.state, began_us):
            return
        if last.at_us == at_us:
            self.list.pop()
            last = self.list[-1] if self.list else _Piece(0, State.UNKNOWN, -1)
            if (last.state, last.began_us) == (band.state, began_us):
                return
        self.list.append(_Piece(at_us, band.state, began_us))


async def timeline(bands: Bands[K], one: Chosen[K], span: Span, limit: int, now_us: int) -> BandPage:
    """The states of an asset in a span, neighbours that are the same put together; the first and the last are cut
    to the span, and one that goes on at present has no end. Before anything was known it is unknown."""
    span = span[0], min(span[1], now_us)
    if span[0] >= span[1]:
        return BandPage([], None)
    pieces = await _pieces(bands, one.key, span, limit)
    shown, ends = pieces.list[:limit], [piece.at_us for piece in pieces.list[1:]]
    next_us = ends[limit - 1] if len(ends) >= limit else None
    reasons = await _reasons(bands, one.key, shown, pieces.ended, now_us)
    last_us = None if span[1] == now_us else span[1]
    return BandPage(
        [_view(one.id, piece, end_us, reasons) for piece, end_us in zip(shown, [*ends, last_us], strict=False)],
        next_us,
    )


async def _pieces(bands: Bands[K], key: K, span: Span, limit: int) -> _Pieces:
    """The first pieces of a span: one more than the limit, where there are as many."""
    pieces = _Pieces(span)
    before = (await bands.edges([key], [span[0]])).get((key, span[0]))
    if before is not None:
        pieces.add(before)
    from_us = span[0]
    while len(pieces.list) <= limit:
        some = await bands.between(key, (from_us, span[1]), READ_AT_ONCE)
        for band in some:
            pieces.add(band)
        if len(some) < READ_AT_ONCE:
            break
        from_us = some[-1].at_us + 1
    return pieces


async def _reasons(
    bands: Bands[K], key: K, pieces: Sequence[_Piece], ended: Mapping[int, Band], now_us: int
) -> dict[int, str]:
    """The reason of each stop that pieces are part of, by when it began to count."""
    rows: list[StopRow[K]] = []
    for began_us in {piece.began_us: None for piece in pieces if piece.began_us}:
        end = ended.get(began_us)
        if end is None:
            rows += await whole(bands, {key: began_us})
        else:
            rows.append(StopRow(key=key, began_us=began_us, ended_us=end.at_us, stopped_us=end.stopped_us))
    said = Said((await said_of(bands, rows, now_us)).get(key, []))
    found = {row.began_us: said.of(span_of(row, now_us)) for row in rows}
    return {began_us: last.reason for began_us, last in found.items() if last is not None}


def _view(asset: str, piece: _Piece, end_us: int | None, reasons: Mapping[int, str]) -> BandView:
    return BandView(
        asset=asset,
        at=iso(piece.at_us),
        to=None if end_us is None else iso(end_us),
        state=piece.state.word,
        stop=str(piece.began_us) if piece.began_us else None,
        reason=reasons.get(piece.began_us, ""),
    )
