"""/v1/provision: boards being given their WiFi and hub, for technicians."""

from __future__ import annotations

from edge.provision.provisioning import Provisioning
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.provision import NearbyBoard, ProvisionView, StartProvision


class ProvisionRoutes:
    """The routes of this part."""

    def __init__(self, provisioning: Provisioning) -> None:
        self._provisioning = provisioning

    def all(self) -> list[Route]:
        """Every route."""
        path, tech, view = "/v1/provision", Role.TECHNICIAN, ProvisionView
        start = "Set a board up, or ask it who it is and which WiFi it hears"
        return [
            Route("GET", path, self.every, "Boards being set up, newest first", tech, returns=view, many=True),
            Route("POST", path, self.start, start, tech, body=StartProvision, returns=view, created=True),
            Route(
                "GET",
                "/v1/provision/boards",
                self.boards,
                "Boards nearby that offer themselves over BLE",
                tech,
                returns=NearbyBoard,
                many=True,
            ),
            Route("GET", f"{path}/{{id}}", self.show, "One board being set up", tech, returns=view),
            Route("POST", f"{path}/{{id}}/cancel", self.cancel, "End it", tech, returns=view),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/provision."""
        return Page(list(self._provisioning.jobs.all()))

    async def start(self, call: Call) -> Answer:
        """POST /v1/provision."""
        return Created(self._provisioning.start(call.body, actor=call.actor))

    async def boards(self, call: Call) -> Answer:
        """GET /v1/provision/boards."""
        return Page(list(self._provisioning.boards()))

    async def show(self, call: Call) -> Answer:
        """GET /v1/provision/{id}."""
        return self._provisioning.jobs.get(call.param("id")).view

    async def cancel(self, call: Call) -> Answer:
        """POST /v1/provision/{id}/cancel."""
        return await self._provisioning.jobs.cancel(call.param("id"))
