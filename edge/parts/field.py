"""Devices with our firmware: found, trusted and served over the network; on a cable, those without a screen."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine, Iterable, Iterator

from aiohttp import web

from edge.api.field.door import Door
from edge.api.field.intake import Intake
from edge.api.field.results import Results
from edge.api.field.routes import FieldRoutes
from edge.api.field.sessions import Sessions
from edge.api.field.wifi import WifiLinks
from edge.bus import Missed
from edge.commands.field_line import Updates
from edge.content.showing.events import ShowChanged
from edge.devices.model import Device
from edge.devices.presence import DeviceChanged
from edge.links.discovery import Answers, Discovery, Serves
from edge.links.mdns import Mdns
from edge.parts.content import ContentPart
from edge.parts.part import Core, Part
from edge.parts.telemetry import TelemetryPart
from edge.parts.twins import TwinsPart
from edge.parts.vending import VendingPart
from edge.serving.metrics import Sample
from edge.serving.server import Listen
from edge.telemetry.events import TwinChanged
from edge.updates.events import OfferChanged


class FieldPart(Part):
    """Built by the hub."""

    def __init__(
        self,
        core: Core,
        telemetry: TelemetryPart,
        twins: TwinsPart,
        vending: VendingPart,
        updates: Updates,
        content: ContentPart,
    ) -> None:
        self._core = core
        self._sessions = Sessions()
        self._wifi = WifiLinks(core.dispatcher, core.commands, core.presences, core.clock)
        self._intake = Intake(
            core.registry,
            core.presences,
            core.device_log,
            core.clock,
            telemetry.telemetry,
            twins.twins,
            updates,
            content.shown.handing,
        )
        self._intake.tell_health_to(vending.hear_health)
        core.attachments.serve_field_with(self._intake)
        self._door = Door(
            guard=core.guard,
            knocking=core.knocking,
            clock=core.clock,
            registry=core.registry,
            sessions=self._sessions,
            wifi=self._wifi,
            intake=self._intake,
            updates=updates,
            body_s=core.settings.limits.body_s,
        )
        results = Results(core.commands)
        self._routes = FieldRoutes(
            self._door,
            self._wifi,
            self._intake,
            results,
            updates,
            content.shown.handing,
            core.device_log,
            core.clock,
        )
        self._discovery: Discovery | None = None
        self._mdns: Mdns | None = None

    def legacy(self) -> list[web.RouteDef]:
        """/v1/device."""
        return self._routes.all()

    @contextlib.contextmanager
    def found(self, wanted: Iterable[Listen]) -> Iterator[None]:
        """Answer those who look for the hub, from the first moment on; nobody when nothing will be served."""
        serves, settings = _serves(wanted), self._core.settings.discovery
        if not settings.enabled or not serves:
            yield
            return
        self._discovery = Discovery(Answers(serves, self._core.clock.mono_s), settings.udp_port)
        self._discovery.open()
        try:
            yield
        finally:
            self._discovery.close()

    def serves(self, bound: Iterable[Listen]) -> None:
        """The store is open and the listeners are: tell with which id, and at which ports."""
        if self._discovery is None:
            return
        answers = self._discovery.answers
        answers.serves, answers.instance = _serves(bound), self._core.store.hub.instance
        if self._mdns is not None:
            self._mdns.serves(answers.serves, answers.instance)

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Following what changes; giving up who is silent; being found."""
        tasks: dict[str, Callable[[], Coroutine[None, None, None]]] = {
            "field": self._follow,
            "wifi": self._wifi.sweep_for_ever,
        }
        if self._discovery is not None:
            tasks["discovery"] = self._discovery.run
            if self._core.settings.discovery.mdns:
                self._mdns = Mdns()
                tasks["mdns"] = self._mdns.run
        return tasks

    def samples(self) -> list[Sample]:
        """Who is there, and who looks for the hub."""
        found = [
            Sample("wifi_devices", "gauge", "Devices that are there over the network.", {"": self._wifi.up}),
            Sample("wifi_sessions", "gauge", "Their sessions, unused ones too.", {"": len(self._sessions)}),
        ]
        if self._discovery is not None:
            asked, answered = self._discovery.asked, self._discovery.answered
            found += [
                Sample("discovery_questions_total", "counter", "Datagrams to the discovery port.", {"": asked}),
                Sample("discovery_answers_total", "counter", "Those that were answered.", {"": answered}),
            ]
        return found

    async def forget(self, device: Device, actor: str) -> None:
        """Its session ends; with the same key it may come back, as pending."""
        self._wifi.lose(device.id)

    def lose(self, device_id: str) -> None:
        """Give its link over the network up: it is known that it starts anew."""
        self._wifi.lose(device_id)

    async def let_go(self, app: web.Application) -> None:
        """The hub stops: held polls end, and none is held any more."""
        self._wifi.close()

    async def _follow(self) -> None:
        subscription = self._core.bus.subscribe()
        try:
            async for event in subscription:
                if isinstance(event, DeviceChanged):
                    self._door.changed(event.device_id)
                    self._core.attachments.look(event.device_id)
                elif isinstance(event, TwinChanged | OfferChanged | ShowChanged):
                    self._wifi.look(event.device_id)
                    self._core.attachments.look(event.device_id)
                elif isinstance(event, Missed):
                    self._look_at_all()
        finally:
            subscription.close()

    def _look_at_all(self) -> None:
        for device in self._core.registry.all():
            self._door.changed(device.id)
            self._wifi.look(device.id)
            self._core.attachments.look(device.id)


def _serves(listens: Iterable[Listen]) -> list[Serves]:
    return [Serves(listen.host, listen.port, listen.tls) for listen in listens]
