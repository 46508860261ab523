"""/v1/ports: the serial ports, who owns them, and what a technician may do to them by hand."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from edge.clock import Clock, iso
from edge.errors import BadInput
from edge.links.supervisor import Supervisor
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.views import PortAction, PortBytes, PortDone, PortView

_encode = msgspec.json.Encoder().encode


class PortRoutes:
    """The routes of the serial ports."""

    def __init__(self, ports: Supervisor, clock: Clock) -> None:
        self._ports, self._clock = ports, clock

    def all(self) -> list[Route]:
        """Every route."""
        tech = Role.TECHNICIAN
        return [
            Route(
                "GET",
                "/v1/ports",
                self.every,
                "Serial ports and who owns them",
                Role.VIEWER,
                returns=PortView,
                many=True,
            ),
            Route(
                "POST",
                "/v1/ports/action",
                self.act,
                "Reset, release or own",
                tech,
                body=PortAction,
                returns=PortDone,
            ),
            Route(
                "GET",
                "/v1/ports/monitor",
                self.monitor,
                "Raw bytes over a WebSocket",
                tech,
                returns=PortBytes,
                stream="WebSocket",
                query=("path",),
            ),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/ports."""
        return Page(list(self._ports.views()))

    async def act(self, call: Call) -> Answer:
        """POST /v1/ports/action."""
        wanted: PortAction = call.body
        if wanted.action == "reset":
            return PortDone(done=await self._ports.reset(wanted.path))
        if wanted.action == "release":
            await self._ports.release(wanted.path)
            return PortDone(done="given up; `own` takes it again")
        if wanted.action == "own":
            await self._ports.own(wanted.path)
            return PortDone(done="taken")
        raise BadInput("action is reset, release or own.")

    async def monitor(self, call: Call) -> Answer:
        """GET /v1/ports/monitor?path=."""
        async with self._ports.monitor(call.query("path")) as monitor:
            socket = web.WebSocketResponse(heartbeat=15.0, max_msg_size=4096)
            await socket.prepare(call.request)

            async def tell() -> None:
                async for direction, data in monitor:
                    if not call.still_allowed():
                        break
                    at = iso(self._clock.now().at_us)
                    await socket.send_str(_encode(PortBytes(dir=direction, at=at, hex=data.hex())).decode())
                await socket.close()

            teller = asyncio.create_task(tell())
            try:
                async for _ in socket:
                    pass
            finally:
                teller.cancel()
                await asyncio.gather(teller, return_exceptions=True)
            return socket
