"""/v1/audit: everything anyone changed, at the centre and at the hubs, in one list.

The newest comes first, by when the centre came to know of it: what a hub that was away tells later stands on top
then, and nobody who has read on to a place misses it. A cursor says how far either list was read.
"""

from __future__ import annotations

import heapq
from itertools import islice

from cloud.accounts.member import member
from cloud.api import audit_store
from cloud.api.audit_store import Asked, Change
from cloud.db.database import Database
from cloud.sync.plain_json import plain_object
from edge.clock import iso
from edge.errors import BadInput
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route, number
from edge.wire.centre import AuditView

CENTRE, HUB = "centre", "hub"
READERS = {CENTRE: audit_store.at_centre, HUB: audit_store.at_hubs}
SAID = ("by", "actor")  # what of a fact's body the view has as its actor


class AuditRoutes:
    """The route of the audit."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> list[Route]:
        """Every route."""
        return [
            Route(
                "GET",
                "/v1/audit",
                self.audit,
                "Who changed what, here and at the hubs, the newest first",
                Role.ADMIN,
                returns=AuditView,
                many=True,
                query=("site", "actor", "what", "where"),
            )
        ]

    async def audit(self, call: Call) -> Answer:
        """GET /v1/audit?site=&actor=&what=&where=; a site that is not there, or not reached, has no changes."""
        caller, limit, read = member(call), call.limit(), _read(call.query("cursor"))
        asked = Asked(site=call.query("site"), actor=call.query("actor"), what=call.query("what"))
        found: dict[str, list[Change]] = {}
        async with self._db.read() as connection:
            for where in _wanted(call.query("where")):
                found[where] = await READERS[where](connection, caller, asked, read[where], limit)
        lists = [[(-change.known_us, where, change) for change in changes] for where, changes in found.items()]
        page = list(islice(heapq.merge(*lists, key=lambda told: told[:2]), limit))
        for _, where, change in page:
            read[where] = change.number
        more = len(page) == limit
        return Page([_view(where, change) for _, where, change in page], _told(read) if more else None)


def _wanted(where: str) -> list[str]:
    """Which lists: both unless one is named. Raises BadInput."""
    if where and where not in READERS:
        raise BadInput("where is `centre` or `hub`.")
    return [where] if where else [CENTRE, HUB]


def _read(cursor: str) -> dict[str, int | None]:
    """How far either list was read, None where it was not. Raises BadInput."""
    centre, dot, hub = cursor.partition(".")
    if cursor and not dot:
        raise BadInput("cursor is the `next` of an earlier answer.")
    return {CENTRE: number("cursor", centre), HUB: number("cursor", hub)}


def _told(read: dict[str, int | None]) -> str:
    return ".".join("" if read[where] is None else str(read[where]) for where in (CENTRE, HUB))


def _view(where: str, change: Change) -> AuditView:
    detail = plain_object(change.detail)
    return AuditView(
        id=change.number,
        where=where,
        at=iso(change.at_us),
        actor=change.actor,
        what=change.what,
        site=change.slug,
        subject=change.subject,
        detail=detail if where == CENTRE else {name: value for name, value in detail.items() if name not in SAID},
    )
