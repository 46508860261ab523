"""The payment-display system's HTTP API, as its web page, its PC program and its older local service speak it.

Every path also answers with leading slashes doubled, since clients glue their base address and the path.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from aiohttp import web

from edge.clock import Clock
from edge.commands.commands import Commands
from edge.commands.shown import Shown
from edge.compat.nic.agents import NicAgents
from edge.compat.nic.clients import NicClients
from edge.compat.nic.displays import NicDisplays
from edge.compat.nic.door import SCOPE, Door, Loggers, preflight
from edge.compat.nic.local import NicLocal
from edge.content.codes.codes import Content
from edge.content.codes.screens import Screens
from edge.devices.agents.agents import Agents
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import OutpostError
from edge.serving.visits import AiohttpHandler, Gate, Knocks
from edge.store.database import Database

log = logging.getLogger(__name__)

SWEEP_S = 5.0  # how late a delivery that nobody answered may be given up


class Nic:
    """The facade: `routes` for the application, `run` in the background.

    `loggers` answers an asset logger, which registers at the same path as a display's program.
    """

    def __init__(
        self,
        *,
        gate: Gate,
        knocks: Knocks,
        clock: Clock,
        database: Database,
        registry: Registry,
        presences: Presences,
        agents: Agents,
        commands: Commands,
        content: Content,
        shown: Shown,
        screens: Screens,
        loggers: Loggers,
        body_s: float,
    ) -> None:
        knows = partial(_knows, registry)
        door = Door(gate, knocks, clock, knows=knows, body_s=body_s)
        self._displays = NicDisplays(registry, presences, commands, clock)
        page = NicAgents(door, database, presences, agents, commands, shown, screens, self._displays)
        program = NicClients(door, database, registry, presences, agents, commands, content, self._displays)
        local = NicLocal(agents, commands, self._displays)
        self._table: dict[tuple[str, str], AiohttpHandler] = {
            ("GET", "/api/device/health"): door.opened(page.health, key=False),
            ("POST", "/api/device/link"): door.opened(page.link),
            ("POST", "/api/device/qr"): door.opened(page.qr),
            ("POST", "/api/device/rotation/start"): door.opened(page.rotation),
            ("GET", "/api/device/list"): door.opened(page.list),
            ("POST", "/api/device/register"): door.opened(program.register, loggers=loggers),
            ("GET", "/api/device/poll"): door.opened(program.poll),
            ("POST", "/api/device/status"): door.opened(program.status),
            ("GET", "/health"): door.opened(local.health, key=False),
            ("POST", "/qr/display"): door.opened(local.display),
            ("POST", "/qr/complete"): door.opened(local.complete),
            ("POST", "/device/reconnect"): door.opened(local.reconnect),
            ("GET", "/device/status"): door.opened(local.status),
            ("POST", "/device/toggle"): door.opened(local.reconnect),
        }

    def routes(self) -> list[web.RouteDef]:
        """Every route, the browser's preflights, and the doubled slashes."""
        plain = [web.route(method, path, handler) for (method, path), handler in self._table.items()]
        paths = sorted({path for _, path in self._table})
        return [
            *plain,
            *(web.options(path, preflight) for path in paths),
            web.route("*", r"/{slashes:/+}{tail:.*}", self._collapsed),
        ]

    async def sweep(self) -> None:
        """Give up deliveries that nobody answered."""
        await self._displays.settle_lost()

    async def run(self) -> None:
        """Sweep now and then; runs until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.sweep()
            except OutpostError:
                log.exception("an unanswered delivery could not be settled; it is tried again")

    async def _collapsed(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["tail"]
        handler = self._table.get((request.method, path))
        if handler is None and request.method == "OPTIONS" and any(path == known for _, known in self._table):
            handler = preflight
        if handler is None:
            raise web.HTTPNotFound
        return await handler(request)


def _knows(registry: Registry, claimed: str) -> bool:
    return registry.by_alias(SCOPE, claimed) is not None
