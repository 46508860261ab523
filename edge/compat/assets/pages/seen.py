"""Assets and rules as the API has them, in the form that pages are made of."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from edge.assets.model import SECOND_US
from edge.assets.planning import weekly
from edge.compat.assets.pages.plant import K, Machine, Place, Shift
from edge.wire.assets import AssetRules, AssetView


def machine_of(view: AssetView, key: K, *, site: str = "") -> Machine[K]:
    """An asset as a person sees it. `site` stands before its ids where there are several."""
    return Machine(
        key=key,
        id=page_id(site, view.id),
        name=view.name,
        line=view.line,
        input=view.input,
        logger=page_id(site, view.device),
        state=view.state,
        since_us=None if view.since is None else utc_us(view.since),
        short_stop_s=view.short_stop_s,
        stop=view.stop or "",
        reason=view.reason,
    )


def place_of(site: str, name: str, zone: ZoneInfo, rules: AssetRules | None) -> Place:
    """A site with its shifts."""
    known = [] if rules is None else rules.shifts
    shifts = tuple(Shift(id=one.id, name=one.name, weekly=weekly(one)) for one in known)
    return Place(id=site, name=name, zone=zone, shifts=shifts)


def page_id(site: str, thing: str) -> str:
    """The id by which pages know a thing: at a hub its own, at the centre with the site before it."""
    return f"{site}:{thing}" if site else thing


def site_and_id(given: str) -> tuple[str, str]:
    """The site and the id of a thing that a page of the centre names; '' for the site where it names none."""
    site, parted, thing = given.partition(":")
    return (site, thing) if parted else ("", given)


def utc_us(text: str) -> int:
    """A time of the API."""
    return round(datetime.fromisoformat(text).timestamp() * SECOND_US)
