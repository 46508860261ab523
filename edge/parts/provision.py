"""Giving new boards their WiFi and their hub: over a cable, over BLE, by their own page."""

from __future__ import annotations

import msgspec

from edge.bus import Event
from edge.commands.dispatch import CABLE
from edge.links.supervisor import Supervisor
from edge.parts.bluetooth import BluetoothPart
from edge.parts.field import FieldPart
from edge.parts.part import Core, Part
from edge.provision.air import Air
from edge.provision.arrivals import Arrivals
from edge.provision.cable import Cable
from edge.provision.events import ProvisionChanged
from edge.provision.introducing import Introducing
from edge.provision.jobs import Jobs
from edge.provision.nearby import Nearby
from edge.provision.provisioning import Provisioning
from edge.provision.routes import ProvisionRoutes
from edge.serving.routing import Route
from edge.wire.provision import ProvisionView
from edge.wire.views import LiveEvent


class ProvisionPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core, ports: Supervisor, bluetooth: BluetoothPart, field: FieldPart) -> None:
        self._core = core
        nearby = Nearby(core.clock)
        bluetooth.radio.listen(nearby.hear)
        arrivals = Arrivals(core.bus, lambda: [device.id for device in core.registry.all()], self._over_the_network)
        self.provisioning = Provisioning(
            Jobs(core.clock, core.bus, self._note),
            Cable(ports, Introducing(core.registry), arrivals, field.lose),
            Air(bluetooth.radio, core.registry, arrivals),
            ports,
            bluetooth.radio,
            nearby,
        )
        self._routes = ProvisionRoutes(self.provisioning)

    def routes(self) -> list[Route]:
        """/v1/provision."""
        return self._routes.all()

    async def translate(self, event: Event) -> LiveEvent | None:
        """A job as it is now."""
        if not isinstance(event, ProvisionChanged):
            return None
        return LiveEvent(topic="provision", data=msgspec.to_builtins(event.view))

    async def stop(self) -> None:
        """End what is under way: ports and radio are given back."""
        await self.provisioning.jobs.stop()

    async def _note(self, view: ProvisionView) -> None:
        """Who gave which board the site's WiFi; never the password."""
        board, subject = view.board, view.device or view.where
        firmware = board.firmware if board is not None else ""
        await self._core.store.hub.write(
            lambda tx: tx.fact(
                "board.provisioned", subject, way=view.way, where=view.where, firmware=firmware, by=view.started_by
            )
        )

    def _over_the_network(self, device_id: str) -> list[str]:
        return [name for name in self._core.dispatcher.names_of(device_id) if not name.startswith(CABLE)]
