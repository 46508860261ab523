"""Lists of several sites as one, in the order the app expects; and what is last known of a site that is away."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from cloud.accounts.app_logins import AppUser
from cloud.compat.things import acquaintance_store as sql
from cloud.compat.things.sites import Sites, Told
from cloud.db.database import Database
from cloud.fleet.lookup import Place, found
from cloud.fleet.views import device_view
from edge.clock import Clock
from edge.compat.thingsnxt.door import reply
from edge.errors import NotFound, OutpostError
from edge.wire.asked import Answered

AWAY = "Outpost-Away"  # the header that names the sites an answer lacks, or tells as last known
PROFILE, HIDDEN = "thingsnxt", "hidden-"  # as hubs call the older platform's devices, and show no token
ID_BYTES = 12

Document = dict[str, Any]


class Merging:
    """Makes one list of what sites say, and remembers where each thing of it is."""

    def __init__(self, database: Database, sites: Sites, clock: Clock) -> None:
        self._db, self._sites, self._clock = database, sites, clock

    def documents(self, user: AppUser, said: Sequence[tuple[Place, Told]], under: str = "") -> list[Document]:
        """The things in all answers, under a name where the answers are objects."""
        every: list[Document] = []
        for place, told in said:
            if isinstance(told, Answered) and told.status == 200:
                decoded = msgspec.json.decode(told.body)
                rows: list[Document] = decoded.get(under, []) if under else decoded
                for row in rows:
                    self._sites.seen(user, str(row["id"]), place)
                every += rows
        return every

    async def last_known(self, user: AppUser, said: Sequence[tuple[Place, Told]]) -> list[Document]:
        """His devices at the sites that say nothing, as their hubs last told of them."""
        every: list[Document] = []
        for place, told in said:
            if isinstance(told, OutpostError):
                async with self._db.read() as connection:
                    rows = await sql.devices_of(connection, user.member, user.id, place.slug)
                for row in rows:
                    if (document := self._device(user, found(row, user.member))) is not None:
                        self._sites.seen(user, document["id"], place)
                        every.append(document)
        return every

    def _device(self, user: AppUser, seen: Any) -> Document | None:
        try:
            view = device_view(seen, self._clock.now().at_us)
        except NotFound:
            return None
        if view.owner != user.id:
            return None
        claimed = view.aliases[0] if view.profile == PROFILE and view.aliases else hashed(view.id)
        return {
            "_id": claimed,
            "id": claimed,
            "user_id": user.id,
            "name": view.name,
            "status": "offline",
            "last_active": (view.evidence_at or view.created_at).removesuffix("Z"),
            "device_token": HIDDEN + claimed,
        }


def hashed(device_id: str) -> str:
    """The id by which an older app knows a device that has none of the older platform."""
    return hashlib.blake2b(device_id.encode(), digest_size=ID_BYTES).hexdigest()


def newest_first(documents: list[Document], by: str) -> list[Document]:
    """In the order of a time in each, the newest first."""
    return sorted(documents, key=lambda one: str(one.get(by) or ""), reverse=True)


def with_away(body: Any, said: Sequence[tuple[Place, Told]]) -> web.Response:
    """The answer, which names the sites that are missing in it."""
    answer = reply(body)
    away = [place.slug for place, told in said if not isinstance(told, Answered) or told.status != 200]
    if away:
        answer.headers[AWAY] = ", ".join(away)
        answer.headers["Access-Control-Expose-Headers"] = AWAY
    return answer
