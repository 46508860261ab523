"""What happens to people's things at their sites, told at the centre to whoever listens there.

While somebody listens, each of his sites is asked for what its hub would tell him there, again and again; so what
is told here is what the hub tells, word for word. A site that is away is asked again until it is back.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable

import msgspec

from cloud.accounts.app_logins import AppUser
from cloud.compat.things.sites import Asked, Sites
from cloud.fleet.lookup import Place
from edge.access.accounts.model import User
from edge.compat.thingsnxt.live import Audience, Message
from edge.errors import OutpostError
from edge.wire.asked import EVENTS_PATH

log = logging.getLogger(__name__)

WAIT_S = 8  # for something to tell; less than an answer is waited for
AGAIN_S = 5.0  # after a site could not be asked
READY_S = 5.0  # for the first word of all sites, before a listener is told that he is connected
CHECK_S = 3.0  # how late somebody is let go whose login has ended


class _Told(msgspec.Struct):
    messages: list[Message] = []


class Following:
    """Follows those who listen. `current(user)`: who he is by now, None when his login has ended."""

    def __init__(self, sites: Sites, current: Callable[[AppUser], AppUser | None]) -> None:
        self._sites, self._current = sites, current
        self._listener = secrets.token_hex(8)  # how hubs know this instance
        self._wanted: dict[str, AppUser] = {}
        self._ready: dict[str, asyncio.Event] = {}
        self._changed = asyncio.Event()

    def begin(self, user: User) -> None:
        """He listens."""
        assert isinstance(user, AppUser)
        if user.id not in self._wanted:
            self._wanted[user.id], self._ready[user.id] = user, asyncio.Event()
            self._changed.set()

    async def ready(self, user: User) -> None:
        """Wait until all of his sites that are there have said that they tell, READY_S at most."""
        ready = self._ready.get(user.id)
        if ready is not None:
            try:
                async with asyncio.timeout(READY_S):
                    await ready.wait()
            except TimeoutError:
                log.info("not all sites of somebody who listens have answered yet")

    def left(self, user: User, *, anybody: bool) -> None:
        """No reader of his is left."""
        self._wanted.pop(user.id, None)
        self._ready.pop(user.id, None)
        self._changed.set()

    async def run(self, audience: Audience) -> None:
        """Follow them all, until cancelled."""
        followed: dict[str, tuple[AppUser, asyncio.Task[None]]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                for user_id, (user, task) in list(followed.items()):
                    if self._wanted.get(user_id) is not user:
                        task.cancel()
                        del followed[user_id]
                for user in self._wanted.values():
                    if user.id not in followed:
                        ready = self._ready[user.id]
                        followed[user.id] = user, group.create_task(self._follow(user, audience, ready))
                try:
                    async with asyncio.timeout(CHECK_S):
                        await self._changed.wait()
                except TimeoutError:
                    audience.check()

    async def _follow(self, user: AppUser, audience: Audience, ready: asyncio.Event) -> None:
        """Follow one person at all sites he reaches, also at those he is given meanwhile."""
        followed: dict[int, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                firsts: list[asyncio.Event] = []
                for place in await self._places(user):
                    task = followed.get(place.site_id)
                    if task is None or task.done():
                        firsts.append(first := asyncio.Event())
                        followed[place.site_id] = group.create_task(self._follow_at(user, place, audience, first))
                for first in firsts:
                    await first.wait()
                ready.set()
                await asyncio.sleep(AGAIN_S)

    async def _follow_at(self, user: AppUser, place: Place, audience: Audience, first: asyncio.Event) -> None:
        """Tell what the hub of a site tells, until it cannot be asked."""
        asked = Asked("GET", EVENTS_PATH, {"listener": self._listener, "wait": str(WAIT_S)})
        try:
            while (now := self._current(user)) is not None and _reaches(now, place):
                answered = await self._sites.ask(now, place, asked)
                if answered.status != 200:
                    return
                for message in msgspec.json.decode(answered.body, type=_Told).messages:
                    audience.tell(user.id, message)
                first.set()
        except OutpostError as error:
            log.debug("what happens at a site is not told now: %s", error)
        finally:
            first.set()

    async def _places(self, user: AppUser) -> list[Place]:
        now = self._current(user)
        try:
            return [] if now is None else await self._sites.of(now)
        except OutpostError as error:
            log.debug("the sites of somebody who listens are not known now: %s", error)
            return []


def _reaches(user: AppUser, place: Place) -> bool:
    return not user.member.sites or place.slug in user.member.sites
