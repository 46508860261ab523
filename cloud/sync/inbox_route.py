"""GET /sync/v1/inbox: a hub asks for what waits for it, and is answered when there is something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from cloud.sync.door import Door, HubCall
from cloud.sync.inbox import Inbox
from cloud.sync.visits import Visits
from edge.errors import BadInput
from edge.serving.routing import number
from edge.wire.sync import INBOX_WAIT_MAX_S, SEQ_MAX
from edge.wire.sync import Inbox as Answer

LOOK_S = 5.0  # a signal may be lost: the table is looked at anyway


class InboxRoute:
    """The long poll of hubs: one of each site waits, and a newer one ends it with an empty answer."""

    def __init__(self, inbox: Inbox, visits: Visits) -> None:
        self._inbox, self._visits = inbox, visits
        self._asked: dict[int, _Asked] = {}

    def paths(self, door: Door) -> list[web.RouteDef]:
        """The one path."""
        return [web.get("/sync/v1/inbox", door.opens_to_wait(self.next))]

    async def next(self, call: HubCall) -> Answer:
        """GET /sync/v1/inbox?after=&wait=&asked=: items behind number `after`, which confirms all up to there; with
        `asked=1` also what people ask of the hub."""
        query = call.request.query
        after = number("after", query.get("after", ""))
        if after is None:
            raise BadInput("`after` is missing: the number of the last item that was taken over, 0 for none.")
        if after > SEQ_MAX:
            raise BadInput(f"`after` is no number of an item: those end at {SEQ_MAX}.")
        asked = self._asked.setdefault(call.site.site_id, _Asked())
        asked.newest = mine = asked.newest + 1
        asked.open += 1
        self._inbox.look_again(call.site.site_id)
        try:
            return await self._answer(call, after, lambda: asked.newest == mine, asked.looking)
        finally:
            asked.open -= 1
            if not asked.open:
                del self._asked[call.site.site_id]

    async def _answer(
        self, call: HubCall, after: int, is_newest: Callable[[], bool], looking: asyncio.Lock
    ) -> Answer:
        query, loop = call.request.query, asyncio.get_running_loop()
        until_s = loop.time() + min(number("wait", query.get("wait", "")) or 0, INBOX_WAIT_MAX_S)
        with self._inbox.watch(call.site.site_id) as watch:
            while True:
                async with looking:
                    if _gone(call.request) or not is_newest():  # what is handed out now would be handed to nobody
                        return Answer(items=[])
                    items = await self._inbox.collect(call.site, call.session, after)
                    asked = await self._visits.hand_out(call.site) if query.get("asked") == "1" else []
                left_s = until_s - loop.time()
                if items or asked or left_s <= 0 or self._inbox.ended:
                    return Answer(items=items, asked=asked)
                await watch.wait(min(left_s, LOOK_S))


class _Asked:
    """The questions of one site that are not answered yet: how many, which is the newest, and who looks."""

    def __init__(self) -> None:
        self.newest = self.open = 0
        self.looking = asyncio.Lock()


def _gone(request: web.Request) -> bool:
    """Whether who asked has hung up meanwhile."""
    return request.transport is None or request.transport.is_closing()
