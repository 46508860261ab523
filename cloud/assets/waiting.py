"""What has been asked of hubs about their assets and waits: assets are told with it, as pending."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.assets import waiting_store
from cloud.assets.question_store import Key
from cloud.assets.views import asked_of
from cloud.fleet.lookup import Place
from edge.wire.centre import SiteAsset

CHANGES = {
    "change": ("name", "line", "short_stop_s", "silent_s", "removed"),
    "wire": ("device", "input", "inverted"),
}


class Waiting:
    """What waits at some sites."""

    def __init__(self, asked: Iterable[tuple[int, dict[str, Any]]]) -> None:
        self._changes: dict[Key, dict[str, Any]] = {}
        self._dated: set[Key] = set()
        self._reasons: set[Key] = set()
        for site_id, body in asked:
            do, key = str(body.get("do")), (site_id, str(body.get("asset")))
            if do == "reason":
                self._reasons.add((site_id, str(body.get("id"))))
            elif do == "wire" and body.get("at") is not None:
                self._dated.add(key)  # it may be of the past: how it is wired now does not follow
            elif do in CHANGES:
                told = {name: body[name] for name in CHANGES[do] if name in body}
                self._changes.setdefault(key, {}).update(told)

    def has_reason(self, place: Place, reason: str) -> bool:
        """Whether this reason is to be made at a site."""
        return (place.site_id, reason) in self._reasons

    def asked(self, place: Place, view: SiteAsset) -> SiteAsset:
        """The asset as it will be."""
        key = place.site_id, view.id
        shown = asked_of(view, self._changes.get(key, {}))
        pending = ["wirings"] if key in self._dated else []
        return msgspec.structs.replace(shown, pending=[*shown.pending, *pending])


async def waiting(connection: AsyncConnection, member: Member, places: Iterable[Place]) -> Waiting:
    """What waits at these sites."""
    sites = {place.site_id for place in places}
    rows = await waiting_store.bodies(connection, member.tenant_id, sites) if sites else []
    return Waiting((site_id, msgspec.json.decode(body, type=dict[str, Any])) for site_id, body in rows)
