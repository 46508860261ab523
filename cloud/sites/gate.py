"""Which hub is calling: by the token of its site, looked up by its hash."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import msgspec
from aiohttp import web

from cloud.db.database import Database
from cloud.sites import site_store as sql
from edge.access.model import hash_secret
from edge.clock import Clock
from edge.errors import Revoked, Unauthenticated
from edge.serving.addresses import address_of
from edge.serving.credentials import bearer
from edge.serving.limits import RateLimit

CACHE_S = 3.0  # how long a token revoked at another instance is still taken by this one
CACHED = 20_000  # tokens; the one longest not looked up goes first
LOOKING = 2  # at once, so that wrong tokens leave readers of the database to everybody else
HINT = "Ask head office for a new code, then `outpost site enrol CODE`."


class HubCaller(msgspec.Struct, frozen=True, kw_only=True):
    """The hub that speaks for a site. Place and session are no part of it: they are judged under the row's lock."""

    tenant_id: int
    tenant: str
    site_id: int
    slug: str
    name: str


class SiteGate:
    """Identifies hubs. Wrong tokens are counted by address, `anonymous_per_minute` each; a good one is taken from
    any address, whatever else came from there."""

    def __init__(self, database: Database, clock: Clock, *, anonymous_per_minute: int) -> None:
        self._db, self._clock = database, clock
        self._wrong = RateLimit(anonymous_per_minute, clock)
        self._known: OrderedDict[bytes, tuple[float, HubCaller | None]] = OrderedDict()
        self._looking = asyncio.Semaphore(LOOKING)
        self._forgotten = 0  # how often; what was being looked up meanwhile is not kept

    async def identify(self, request: web.Request) -> HubCaller:
        """Which hub calls.

        Raises Unauthenticated (no token, or one that is not known, or no more), Revoked, RateLimited, StorageError.
        """
        token = bearer(request, what="TOKEN", hint=HINT)
        if not token:
            raise Unauthenticated("There is no token in the Authorization header.", hint=HINT)
        token_hash = hash_secret(token)
        until_s, caller = self._known.get(token_hash, (0.0, None))
        if until_s <= self._clock.mono_s():
            caller = await self._look_up(token_hash, address_of(request))
        if caller is None:
            raise Revoked("This site was revoked at head office.", hint=HINT)
        return caller

    def forget(self, site_id: int) -> None:
        """Look the site's token up anew: it was revoked, replaced or renamed."""
        self._forgotten += 1
        for token_hash, (_, caller) in list(self._known.items()):
            if caller is not None and caller.site_id == site_id:
                del self._known[token_hash]

    async def _look_up(self, token_hash: bytes, address: str) -> HubCaller | None:
        """The caller, None where he was revoked."""
        until_s, forgotten = self._clock.mono_s() + CACHE_S, self._forgotten
        async with self._looking, self._db.read() as connection:
            row = await sql.by_token(connection, token_hash)
        if row is None:
            self._known.pop(token_hash, None)
            self._wrong.take(address)
            raise Unauthenticated("This token is not known here, or no more.", hint=HINT)
        caller = None
        if row["state"] != "revoked":
            caller = HubCaller(
                tenant_id=row["tenant_id"],
                tenant=row["tenant"],
                site_id=row["id"],
                slug=row["slug"],
                name=row["name"],
            )
        if forgotten == self._forgotten:
            self._keep(token_hash, until_s, caller)
        return caller

    def _keep(self, token_hash: bytes, until_s: float, caller: HubCaller | None) -> None:
        self._known[token_hash] = until_s, caller
        self._known.move_to_end(token_hash)
        if len(self._known) > CACHED:
            self._known.popitem(last=False)
