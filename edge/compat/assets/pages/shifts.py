"""Shifts of the sites a person sees: which is under way, and which there were."""

from __future__ import annotations

from collections.abc import Iterator

from edge.assets.calendar import spans
from edge.assets.model import Span
from edge.compat.assets.pages import documents
from edge.compat.assets.pages.documents import Document
from edge.compat.assets.pages.plant import K, Place, Seen, Shift


def under_way(seen: Seen[K], now_us: int) -> Document | None:
    """The shift that is under way, of the first site that has one; None between shifts."""
    for place in seen.places:
        for shift, span in within(place, (now_us, now_us + 1)):
            return documents.shift(place, shift.name, shift.id, span, now_us)
    return None


def within(place: Place, span: Span) -> Iterator[tuple[Shift, Span]]:
    """Each time of each shift of a site that overlaps a span, whole."""
    for shift in place.shifts:
        for its in spans(shift.weekly, place.zone, span):
            yield shift, its
