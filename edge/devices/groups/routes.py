"""/v1/groups: devices that are named together."""

from __future__ import annotations

from edge.devices.groups.groups import Groups
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.updates import GroupView, SetGroup


class GroupRoutes:
    """The routes."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def all(self) -> list[Route]:
        """Every route."""
        viewer, tech, view, one = Role.VIEWER, Role.TECHNICIAN, GroupView, "/v1/groups/{name}"
        return [
            Route("GET", "/v1/groups", self.groups, "Groups of devices", viewer, returns=view, many=True),
            Route("PUT", one, self.set_group, "Say which devices are in it", tech, body=SetGroup, returns=view),
            Route("DELETE", one, self.remove_group, "Remove it; its devices stay", tech),
        ]

    async def groups(self, call: Call) -> Answer:
        """GET /v1/groups."""
        return Page([*await self._groups.all()])

    async def set_group(self, call: Call) -> Answer:
        """PUT /v1/groups/{name}."""
        wanted: SetGroup = call.body
        return await self._groups.set(call.param("name"), wanted.devices, actor=call.actor)

    async def remove_group(self, call: Call) -> Answer:
        """DELETE /v1/groups/{name}."""
        await self._groups.remove(call.param("name"), actor=call.actor)
        return None
