"""GET /sync/v1/inbox: a hub asks for what waits for it, and is answered when there is something."""

from __future__ import annotations

import asyncio

from aiohttp import web

from cloud.sync.door import Door, HubCall
from cloud.sync.inbox import Inbox
from edge.errors import BadInput
from edge.serving.routing import number
from edge.wire.sync import INBOX_WAIT_MAX_S
from edge.wire.sync import Inbox as Answer

LOOK_S = 5.0  # a signal may be lost: the table is looked at anyway


class InboxRoute:
    """The long poll of hubs."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def paths(self, door: Door) -> list[web.RouteDef]:
        """The one path."""
        return [web.get("/sync/v1/inbox", door.opens(self.next))]

    async def next(self, call: HubCall) -> Answer:
        """GET /sync/v1/inbox?after=&wait=: items behind number `after`, which confirms all up to there."""
        query = call.request.query
        after = number("after", query.get("after", ""))
        if after is None:
            raise BadInput("`after` is missing: the number of the last item that was taken over, 0 for none.")
        loop = asyncio.get_running_loop()
        until_s = loop.time() + min(number("wait", query.get("wait", "")) or 0, INBOX_WAIT_MAX_S)
        with self._inbox.watch(call.site.site_id) as watch:
            while True:
                if _gone(call.request):  # what is handed out now would be handed to nobody
                    return Answer(items=[])
                items = await self._inbox.collect(call.site, call.session, after)
                left_s = until_s - loop.time()
                if items or left_s <= 0 or self._inbox.ended:
                    return Answer(items=items)
                await watch.wait(min(left_s, LOOK_S))


def _gone(request: web.Request) -> bool:
    """Whether who asked has hung up meanwhile."""
    return request.transport is None or request.transport.is_closing()
