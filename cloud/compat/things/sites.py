"""Asking hubs as a person: at one of his sites, or at all of them at once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import msgspec

from cloud.accounts.app_logins import AppUser
from cloud.compat.things.acquaintances import Acquaintances
from cloud.db.database import Database
from cloud.fleet.command_view import away_since
from cloud.fleet.lookup import Place, all_sites
from cloud.sync.visits import NotAsked, Request, Visits
from edge.clock import Clock
from edge.compat.thingsnxt.door import Visit
from edge.errors import OutpostError
from edge.wire.asked import Answered

AT_ONCE = 20  # sites asked for one person at a time
SITES = 100  # asked for one request; who reaches more asks at the first ones by number
THINGS = 50_000  # of which it is remembered where they are, so that not all sites are asked

Told = Answered | OutpostError
"""What a site says: its answer, or why there is none."""


class Asked(msgspec.Struct, frozen=True):
    """A request as it goes to hubs."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    body: str = ""

    @classmethod
    def by(cls, method: str, path: str, visit: Visit) -> Asked:
        """What a person asks of us, for a hub."""
        query = {name: value for name, value in visit.asked.items() if name not in ("token", "site")}
        return cls(method, path, query, visit.raw.decode("utf-8", "replace"))


class Sites:
    """The sites of people, as they ask them."""

    def __init__(self, database: Database, visits: Visits, acquaintances: Acquaintances, clock: Clock) -> None:
        self._db, self._visits, self._acquaintances, self._clock = database, visits, acquaintances, clock
        self._where: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def of(self, user: AppUser) -> list[Place]:
        """Those he reaches where a hub speaks."""
        async with self._db.read() as connection:
            every = await all_sites(connection, user.member)
        return [place for place in every if place.state == "active"][:SITES]

    async def ask(self, user: AppUser, place: Place, asked: Asked) -> Answered:
        """What the hub of a site answers him. Raises NotAsked, NoAnswer, and what it says against knowing him."""
        now_us = self._clock.now().at_us
        if place.stale(now_us):
            raise NotAsked(f"{away_since(place, now_us)}; nothing was done.")
        await self._acquaintances.introduce(user, place)
        request = Request(person=user.id, method=asked.method, path=asked.path, query=asked.query, body=asked.body)
        answered = await self._visits.ask(place.tenant_id, place.site_id, request)
        if not answered.known:  # its database is an older one by now
            await self._acquaintances.forget(user, place)
            await self._acquaintances.introduce(user, place)
            answered = await self._visits.ask(place.tenant_id, place.site_id, request)
        return answered

    async def ask_all(self, user: AppUser, places: Sequence[Place], asked: Asked) -> list[tuple[Place, Told]]:
        """What each of them says, in their order."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(place: Place) -> Told:
            async with turn:
                try:
                    return await self.ask(user, place, asked)
                except OutpostError as error:
                    return error

        said = await asyncio.gather(*(one(place) for place in places))
        return list(zip(places, said, strict=True))

    def seen(self, user: AppUser, thing: str, place: Place) -> None:
        """Remember where a thing is."""
        key = user.id, thing
        self._where[key] = place.site_id
        self._where.move_to_end(key)
        if len(self._where) > THINGS:
            self._where.popitem(last=False)

    def likely(self, user: AppUser, thing: str, places: Sequence[Place]) -> list[Place]:
        """Where a thing was seen last, first; then the others."""
        where = self._where.get((user.id, thing))
        return sorted(places, key=lambda place: place.site_id != where) if where is not None else list(places)

    def is_known(self, user: AppUser, thing: str) -> bool:
        """Whether it is remembered where a thing is."""
        return (user.id, thing) in self._where
