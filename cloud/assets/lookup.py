"""The assets a caller reaches, and what questions about them need to know of their sites. What he does not reach
is, as far as he is told, not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.analytics.rollups import zone_named
from cloud.assets.definitions import ASSET, RULES, told_rules
from cloud.assets.question_store import Key
from cloud.assets.views import asset_view
from cloud.fleet import state_store
from cloud.fleet.lookup import Found, Place, all_sites, find_site, found, said_where
from cloud.fleet.views import readable
from edge.assets.answers.asking import Chosen, Scope
from edge.assets.answers.windows import site_rules
from edge.assets.model import SECOND_US
from edge.errors import BadInput, Conflict, NotFound
from edge.wire.assets import AssetRules
from edge.wire.centre import SiteAsset

ASSETS_ASKED = 20_000  # in one question
ASSET_HINT = "`outpost asset list` has them all."


class _Named(msgspec.Struct):
    name: str = ""


async def find_asset(connection: AsyncConnection, member: Member, name: str, site: str = "") -> Found:
    """The asset of this id, else of this name, as its hub told of it; at `site` when that is named.

    Raises NotFound, or Conflict when there are several: then `site` has to say which.
    """
    limit = state_store.CANDIDATES
    rows = await state_store.states(connection, member, ASSET, site=site, thing=name, limit=limit)
    if not rows:
        if site:
            await find_site(connection, member, site)
        some = await state_store.states(connection, member, ASSET, site=site, wanted=name, limit=ASSETS_ASKED)
        rows = [row for row in some if _is_called(row["view"], name)]
    if not rows:
        raise NotFound(f"There is no asset {name[:80]!r}.", hint=ASSET_HINT)
    if len(rows) > 1:
        slugs = sorted({row["slug"] for row in rows})
        where = f"at {', '.join(slugs[:5])}" if len(slugs) > 1 else f"{len(rows)} times at {slugs[0]}"
        hint = said_where(slugs[0]) if len(slugs) > 1 else "Use its id."
        raise Conflict(f"There is an asset {name[:80]!r} {where}.", hint=hint)
    return found(rows[0], member)


async def assets(connection: AsyncConnection, member: Member, site: str, now_us: int) -> list[SiteAsset]:
    """Every asset a caller reaches that is not removed, or those of a site; by site, and there as a hub has them.
    Raises NotFound, BadInput."""
    await all_sites(connection, member, site)
    rows = await state_store.states(connection, member, ASSET, site=site, limit=ASSETS_ASKED + 1)
    if len(rows) > ASSETS_ASKED:
        raise BadInput(f"These are more than {ASSETS_ASKED} assets.", hint="Name a site: ?site=.")
    views = readable(asset_view, (found(row, member) for row in rows), now_us)
    return sorted((view for view in views if not view.removed), key=_place)


async def device_names(connection: AsyncConnection, member: Member, site: str) -> dict[str, str]:
    """What devices are called, by their ids."""
    rows = await state_store.states(connection, member, "device", site=site, limit=ASSETS_ASKED)
    return {row["id"]: name for row in rows if (name := _name(row["view"]))}


async def rules_of(connection: AsyncConnection, member: Member, places: Sequence[Place]) -> dict[str, AssetRules]:
    """What holds for the assets of these sites, by their ids."""
    site = places[0].slug if len(places) == 1 else ""
    rows = await state_store.states(connection, member, RULES, site=site, limit=len(places) + 1)
    views = {row["slug"]: row["view"] for row in rows}
    return {place.slug: told_rules(views.get(place.slug, ""), place.timezone) for place in places}


def chosen(view: SiteAsset, places: Mapping[str, Place]) -> Chosen[Key]:
    """An asset as questions name it."""
    return Chosen(
        key=(places[view.site].site_id, view.id),
        id=view.id,
        name=view.name,
        line=view.line,
        device=view.device,
        short_us=round(view.short_stop_s * SECOND_US),
        site=view.site,
    )


def scope(some: Sequence[Chosen[Key]], rules: Mapping[str, AssetRules], now_us: int) -> Scope[Key]:
    """What a question is about."""
    known = {site: site_rules(theirs, zone_named(theirs.timezone)) for site, theirs in rules.items()}
    return Scope(chosen=some, rules=known, now_us=now_us)


def _place(view: SiteAsset) -> tuple[str, ...]:
    return view.site, view.line.casefold(), view.name.casefold(), view.id


def _is_called(view: str, name: str) -> bool:
    return _name(view).casefold() == name.casefold() and bool(name)


def _name(view: str) -> str:
    try:
        return msgspec.json.decode(view, type=_Named).name
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
