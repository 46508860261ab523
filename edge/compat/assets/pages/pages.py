"""The asset logger's pages, at a hub and at the centre: one table of all they ask, and what they are told live."""

from __future__ import annotations

from typing import Generic

from aiohttp import web

from edge.clock import Clock
from edge.compat.assets.pages.analysis import AssetAnalysis
from edge.compat.assets.pages.entry import Entrance, Table
from edge.compat.assets.pages.exports import AssetExports
from edge.compat.assets.pages.lists import AssetLists
from edge.compat.assets.pages.live import AssetLive
from edge.compat.assets.pages.own import Changes, OwnPages
from edge.compat.assets.pages.plant import K, Plant
from edge.compat.thingsnxt.door import CORS, Door, Users
from edge.serving.visits import AiohttpHandler

LIST = ("GET", "/api/device/list")
"""Asked by payment displays' pages too, with a key: who shows no person's token gets theirs."""


async def list_preflight(request: web.Request) -> web.Response:
    """What a browser asks before it sends a token, or a display's key, across origins to LIST."""
    allowed = {"Access-Control-Allow-Headers": "Authorization, X-API-Key, Content-Type"}
    return web.Response(status=204, headers={**CORS, **allowed, "Access-Control-Max-Age": "600"})


class AssetPages(Generic[K]):
    """All of them. `changes` is what people may change of loggers and assets."""

    def __init__(
        self, door: Door, users: Users, accounts: Changes, plant: Plant[K], clock: Clock, changes: Table
    ) -> None:
        self.live = AssetLive(door, users, plant, clock)
        lists, entrance = AssetLists(plant, clock), Entrance(door)
        asked: Table = {
            **lists.table(),
            **AssetAnalysis(plant, clock).table(),
            **AssetExports(plant, lists, clock).table(),
            **OwnPages(accounts, clock, self.live.tell).table(),
            **changes,
        }
        self._table = {question: entrance.person(handler) for question, handler in asked.items()}

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Every path."""
        return self._table | self.live.table()
