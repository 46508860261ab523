"""What hubs told of their things as /v1 shows it: whose it is, up to when it is known to hold, and how old."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from cloud.fleet.lookup import Found
from cloud.sync.plain_json import NotPlain, decoded
from edge.errors import NotFound
from edge.wire.centre import SiteAgent, SiteDevice, SiteLatest, SiteSlot, SiteTwin
from edge.wire.views import Json

T = TypeVar("T", bound=msgspec.Struct)


def device_view(found: Found, now_us: int) -> SiteDevice:
    """A device. Raises NotFound for what this version cannot read."""
    data = plain(found, now_us)
    return _as(data | {"evidence_age_s": _aged(data.get("evidence_age_s"), found, now_us)}, SiteDevice)


def slot_view(found: Found, now_us: int) -> SiteSlot:
    """A slot. Raises NotFound for what this version cannot read."""
    return _as(plain(found, now_us), SiteSlot)


def twin_view(found: Found, now_us: int) -> SiteTwin:
    """A twin. Raises NotFound for what this version cannot read."""
    return _as(plain(found, now_us), SiteTwin)


def agent_view(found: Found, now_us: int) -> SiteAgent:
    """Who sits at a display. Raises NotFound for what this version cannot read."""
    return _as(plain(found, now_us), SiteAgent)


def latest_views(found: Found, now_us: int) -> list[SiteLatest]:
    """The newest value of each key of a device, but those that this version cannot read."""
    told = _decoded(found.view)
    rows = told if isinstance(told, list) else []
    about, views = _about(found, now_us), []
    for row in rows:
        if isinstance(row, dict):
            with contextlib.suppress(NotFound):
                views.append(_as(row | about | {"age_s": _aged(row.get("age_s"), found, now_us)}, SiteLatest))
    return views


def readable(view: Callable[[Found, int], T], rows: Iterable[Found], now_us: int) -> list[T]:
    """The views of all rows that can be read: a hub's slip in one does not hide the others."""
    views = []
    for row in rows:
        with contextlib.suppress(NotFound):
            views.append(view(row, now_us))
    return views


def plain(found: Found, now_us: int) -> dict[str, Json]:
    """A view that is an object, with where it is from."""
    told = _decoded(found.view)
    return (told if isinstance(told, dict) else {}) | _about(found, now_us)


def _about(found: Found, now_us: int) -> dict[str, Json]:
    return {"site": found.place.slug, "as_of": found.as_of(), "stale": found.place.stale(now_us)}


def _decoded(view: str) -> Json:
    try:
        return decoded(view)
    except NotPlain:
        return None


def _as(data: dict[str, Json], kind: type[T]) -> T:
    try:
        return msgspec.convert(data, kind)
    except (msgspec.ValidationError, OverflowError, ValueError, TypeError, RecursionError) as error:
        raise NotFound(f"What the hub told of it cannot be read: {error}.", hint="Update the hub.") from error


def _aged(age_s: Json, found: Found, now_us: int) -> float | None:
    """How old that is now, by the centre's clock alone."""
    if not isinstance(age_s, int | float):
        return None
    return round(age_s + max(0, now_us - found.received_us) / 1e6, 1)
