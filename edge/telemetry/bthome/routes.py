"""/v1/bluetooth: how the adapter is, the sensors that are heard, and taking them in."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.telemetry.bthome.sensors import Sensors
from edge.wire.provision import BluetoothView, SensorView, SetBindKey, TakeSensor


class BluetoothRoutes:
    """The routes of this part. `adapter` tells how the adapter is."""

    def __init__(self, sensors: Sensors, adapter: Callable[[], BluetoothView]) -> None:
        self._sensors, self._adapter = sensors, adapter

    def all(self) -> list[Route]:
        """Every route."""
        sensors, tech, view = "/v1/bluetooth/sensors", Role.TECHNICIAN, SensorView
        take, key = "Make a device of a sensor", "Give a sensor its bind key, or take it away"
        return [
            Route("GET", "/v1/bluetooth", self.show, "How Bluetooth is", Role.VIEWER, returns=BluetoothView),
            Route("GET", sensors, self.every, "Sensors that are heard", Role.VIEWER, returns=view, many=True),
            Route(
                "POST", f"{sensors}/{{address}}", self.take, take, tech, body=TakeSensor, returns=view, created=True
            ),
            Route("PUT", f"{sensors}/{{address}}/key", self.key, key, tech, body=SetBindKey, returns=view),
        ]

    async def show(self, call: Call) -> Answer:
        """GET /v1/bluetooth."""
        board = self._sensors.board
        return msgspec.structs.replace(self._adapter(), sensors_heard=len(board), strangers_shed=board.shed)

    async def every(self, call: Call) -> Answer:
        """GET /v1/bluetooth/sensors."""
        return Page(list(self._sensors.views()))

    async def take(self, call: Call) -> Answer:
        """POST /v1/bluetooth/sensors/{address}."""
        asked: TakeSensor = call.body
        address = call.param("address")
        taken = self._sensors.take_in(address, name=asked.name, bind_key=asked.bind_key, actor=call.actor)
        return Created(await taken)

    async def key(self, call: Call) -> Answer:
        """PUT /v1/bluetooth/sensors/{address}/key."""
        asked: SetBindKey = call.body
        return await self._sensors.set_key(call.param("address"), asked.bind_key, actor=call.actor)
