"""Bluetooth: the adapter and its one owner, and the sensors that it hears."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from edge.devices.model import Device
from edge.links.ble.radio import Enabled, Radio
from edge.parts.part import Core, Part
from edge.parts.telemetry import TelemetryPart
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.telemetry.bthome.routes import BluetoothRoutes
from edge.telemetry.bthome.sensors import Sensors


class BluetoothPart(Part):
    """Built by the hub. `radio` lends the adapter to whoever sets a board up."""

    def __init__(self, core: Core, telemetry: TelemetryPart) -> None:
        self.radio = Radio(Enabled(core.settings.bluetooth.enabled))
        self.sensors = Sensors(telemetry.telemetry, core.registry, core.presences, core.store.hub, core.clock)
        self.radio.listen(self.sensors.hear)
        self._routes = BluetoothRoutes(self.sensors, self.radio.view)

    def routes(self) -> list[Route]:
        """/v1/bluetooth."""
        return self._routes.all()

    async def start(self) -> None:
        """Load the sensors that were taken in."""
        await self.sensors.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Storing what is heard. Listening the hub starts itself, as it does the ports: not for a verb."""
        return {"sensors": self.sensors.run}

    def samples(self) -> list[Sample]:
        """What was heard, and what came of it."""
        sensors, counter = self.sensors, "counter"
        said: dict[str, float] = {
            '{what="stored"}': sensors.taken,
            '{what="refused"}': sensors.refused,
            '{what="lost"}': sensors.lost,
        }
        return [
            Sample("bluetooth_adverts_total", counter, "Bluetooth advertisements heard.", {"": self.radio.adverts}),
            Sample("bluetooth_messages_total", counter, "Messages of sensors that were taken in.", said),
            Sample("bluetooth_sensors", "gauge", "Sensors heard, strangers too.", {"": len(sensors.board)}),
        ]

    def problems(self) -> list[str]:
        """An adapter that does not work though it should."""
        return self.radio.problems()

    async def forget(self, device: Device, actor: str) -> None:
        """Its key goes with it."""
        await self.sensors.forget(device)

    async def stop(self) -> None:
        """Save how far the sensors have counted."""
        await self.sensors.flush()
