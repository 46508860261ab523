"""Times as a form's field has them, by the clock on the wall of a site, as the API takes them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from edge.clock import iso
from edge.errors import BadInput


def local_moment(text: str, zone: ZoneInfo) -> str | None:
    """`2026-11-21T14:30` at a site as UTC; None for nothing. Of a time that its clock shows twice the first counts.

    Raises BadInput.
    """
    if not text.strip():
        return None
    try:
        local = datetime.fromisoformat(text.strip())
        there = local if local.tzinfo else local.replace(tzinfo=zone)
        return iso(round(there.timestamp() * 1_000_000))
    except (ValueError, OverflowError) as error:
        raise BadInput("This is no time: write 2026-11-21 14:30.") from error


def local_field(at: str | None, zone: ZoneInfo) -> str:
    """A time of the API as such a field shows it; '' for none, and for one that no clock there can show."""
    try:
        return "" if at is None else f"{datetime.fromisoformat(at).astimezone(zone):%Y-%m-%dT%H:%M}"
    except (ValueError, OverflowError):
        return ""
