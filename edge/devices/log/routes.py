"""/v1/log and /v1/devices/{id}/log: the communication log, searched."""

from __future__ import annotations

from edge.devices.log.log import DeviceLog
from edge.devices.registry import Registry
from edge.errors import BadInput
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.views import LogLine

CONTAINS_CHARS = 200
DIRECTIONS = ("", "in", "out")
QUERY = ("contains", "level", "direction", "after")


class LogRoutes:
    """The routes of this capability."""

    def __init__(self, registry: Registry, device_log: DeviceLog) -> None:
        self._registry, self._log = registry, device_log

    def all(self) -> list[Route]:
        """Every route."""
        viewer = Role.VIEWER
        one, every = "What went to it, came from it, and what it said, newest first", "The log of all devices"
        return [
            Route("GET", "/v1/devices/{id}/log", self.one, one, viewer, returns=LogLine, many=True, query=QUERY),
            Route("GET", "/v1/log", self.every, every, viewer, returns=LogLine, many=True, query=QUERY),
        ]

    async def one(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/log."""
        return await self._page(call, self._registry.get(call.param("id")).id)

    async def every(self, call: Call) -> Answer:
        """GET /v1/log."""
        return await self._page(call, "")

    async def _page(self, call: Call, device_id: str) -> Answer:
        contains, direction = call.query("contains"), call.query("direction")
        if len(contains) > CONTAINS_CHARS:
            raise BadInput(f"`contains` has at most {CONTAINS_CHARS} characters.")
        if direction not in DIRECTIONS:
            raise BadInput("`direction` is in or out.")
        lines, cursor = await self._log.search(
            device_id=device_id,
            contains=contains,
            level=call.query("level"),
            direction=direction,
            before=call.cursor(),
            after=call.number("after"),
            limit=call.limit(),
        )
        return Page(lines, cursor)
