"""Assets as /v1 shows them: as their hubs last told, counted on to now; and the rules of sites."""

from __future__ import annotations

from typing import Any

import msgspec

from cloud.assets.definitions import told_us
from cloud.assets.question_store import Key
from cloud.fleet.lookup import Found
from cloud.fleet.views import plain
from edge.assets.answers.asking import Chosen
from edge.clock import iso
from edge.errors import NotFound
from edge.wire.assets import SilentS, StopView, ThresholdS
from edge.wire.centre import SiteAsset


def asset_view(found: Found, now_us: int) -> SiteAsset:
    """An asset. Raises NotFound for what this version cannot read."""
    data = plain(found, now_us)
    try:
        view = msgspec.convert(data | {"id": found.id, "age_s": None, "pending": []}, SiteAsset)
        _require_told(view)
        return msgspec.structs.replace(view, age_s=_age_s(view.evidence_at, now_us))
    except (msgspec.ValidationError, OverflowError, ValueError, TypeError, RecursionError) as error:
        raise NotFound(f"What the hub told of it cannot be read: {error}.", hint="Update the hub.") from error


def asked_of(view: SiteAsset, changes: dict[str, Any]) -> SiteAsset:
    """The asset with these changes, which its hub may have told of already: the others are pending."""
    pending = sorted(name for name, value in changes.items() if getattr(view, name) != value)
    return msgspec.structs.replace(view, **changes, pending=pending)


def new_asset(found: Found, asset_id: str, wanted: dict[str, Any], now_us: int) -> SiteAsset:
    """An asset that was asked for, of the device `found`, before its hub has told of it."""
    return SiteAsset(
        id=asset_id,
        **{name: wanted[name] for name in ("name", "line", "input", "inverted", "short_stop_s", "silent_s")},
        device=found.id,
        state="unknown",
        since=None,
        evidence_at=None,
        age_s=None,
        stop=None,
        reason="",
        site=found.place.slug,
        as_of=iso(now_us),
        stale=found.place.stale(now_us),
        pending=["name"],
    )


def unseen_stop(of: Chosen[Key], began_us: int) -> StopView:
    """A stop that a hub knows and the centre does not: its readings are on their way."""
    return StopView(
        id=str(began_us),
        asset=of.id,
        name=of.name,
        line=of.line,
        at=iso(began_us),
        to=None,
        stopped_s=0.0,
        short=None,
        reason="",
        reason_name="",
        note="",
        said_by="",
        said_at=None,
        site=of.site,
    )


def _require_told(view: SiteAsset) -> None:
    """Raises ValueError, TypeError, for what no hub says: times that are none, and seconds beyond all bounds."""
    msgspec.convert((view.short_stop_s, view.silent_s), tuple[ThresholdS, SilentS])
    for at in (view.since, *(wiring.at for wiring in view.wirings)):
        if at is not None:
            told_us(at)


def _age_s(evidence_at: str | None, now_us: int) -> float | None:
    """How long ago the logger was heard, by the clocks of the site and of the centre."""
    if evidence_at is None:
        return None
    return round(max(0, now_us - told_us(evidence_at)) / 1e6, 1)
