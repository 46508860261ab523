"""The hub's composition root: builds the parts, starts and stops them in order. No logic."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.access.keys import Keys
from edge.access.routes import KeyRoutes
from edge.api.device_views import DeviceViews
from edge.api.events import Translator
from edge.api.guard import Guard
from edge.api.hub_routes import HubRoutes, fact_view
from edge.api.port_routes import PortRoutes
from edge.api.status import Status
from edge.bus import Bus
from edge.clock import Clock, SystemClock, site_zone
from edge.commands.attach import Attachments
from edge.commands.commands import Commands
from edge.commands.dispatch import Dispatcher
from edge.commands.history import History
from edge.commands.routes import CommandRoutes
from edge.commands.shown import Shown
from edge.commands.upkeep import Upkeep
from edge.compat.nic.display import NicDisplay
from edge.compat.vending.line import VendingLine
from edge.content.codes.codes import Content
from edge.content.codes.routes import ContentRoutes
from edge.content.codes.screens import Screens
from edge.content.intake.fetch import Fetcher
from edge.content.intake.pictures import Pictures
from edge.devices.agents.agents import Agents
from edge.devices.agents.displays import RegistryDisplays
from edge.devices.groups.groups import Groups
from edge.devices.groups.routes import GroupRoutes
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.devices.routes import DeviceRoutes
from edge.errors import StorageError, StorageFull
from edge.links.events import PortChanged
from edge.links.native_conversation import NativeConversation
from edge.links.serial_port import Lines
from edge.links.spec import Profile, parse
from edge.links.supervisor import Supervisor
from edge.parts.asset_pages import AssetPagesPart
from edge.parts.assets import AssetsPart
from edge.parts.bluetooth import BluetoothPart
from edge.parts.clock import ClockPart
from edge.parts.content import ContentPart
from edge.parts.field import FieldPart
from edge.parts.flashing import FlashingPart
from edge.parts.hooks import HooksPart
from edge.parts.loggers import LoggersPart
from edge.parts.nic import NicPart
from edge.parts.part import Core, Part
from edge.parts.people import PeoplePart
from edge.parts.personalcms import PersonalCmsPart
from edge.parts.provision import ProvisionPart
from edge.parts.rollouts import RolloutsPart
from edge.parts.sync import SyncPart
from edge.parts.telemetry import TelemetryPart
from edge.parts.things import ThingsPart
from edge.parts.trmnl import TrmnlPart
from edge.parts.twins import TwinsPart
from edge.parts.updates import UpdatesPart
from edge.parts.vending import VendingPart
from edge.serving.app import build
from edge.serving.channels import OneChannel
from edge.serving.knocking import Knocking
from edge.serving.live import Live
from edge.serving.metrics import Metrics
from edge.serving.routing import Route
from edge.serving.server import SOCKET_NAME, Listen, Server, parse_listens, tls_context
from edge.settings import Settings
from edge.store.database import Store
from edge.store.ledger import facts
from edge.wire.views import FactView

log = logging.getLogger(__name__)

PROBE_S = 10.0


class Hub:
    """All parts of one hub over one data directory. Use as `async with hub.serving(): …`."""

    def __init__(self, directory: Path, settings: Settings, clock: Clock | None = None) -> None:
        self.settings, self.directory = settings, directory
        self.clock: Clock = clock or SystemClock()
        self.zone: ZoneInfo = site_zone(settings.site.timezone)
        self.bus = Bus()
        self.store = Store(
            directory,
            self.bus,
            self.clock,
            free_floor_mb=settings.disk.free_floor_mb,
            ballast_mb=settings.disk.ballast_mb,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._build_core(settings)
        self._build_content(settings)
        self._build_links(settings)
        self._build_guard(settings)
        self._build_parts()
        self._build_api(settings)

    def _build_core(self, settings: Settings) -> None:
        hub, bus, clock = self.store.hub, self.bus, self.clock
        self.keys = Keys(hub, clock)
        self.registry = Registry(
            hub,
            bus,
            clock,
            auto_approve=settings.hub.auto_approve,
            reports_kept=settings.history.reports_per_pending_device,
        )
        self.groups = Groups(hub, self.registry)
        self.presences = Presences(hub, bus, clock)
        self.registry.ask_silence(self.presences.age_s)
        self.commands = Commands(
            self.store,
            bus,
            clock,
            self.registry,
            queue_per_device=settings.limits.queue_per_device,
            history_days=settings.history.commands_days,
            qr_ttl_s=settings.content.qr_ttl_s,
        )
        self.agents = Agents(hub, clock, RegistryDisplays(self.registry, self.presences), self.commands)
        self.history = History(hub)
        self.commands.check_seats_with(self.agents.holds)
        self.shown = Shown(hub, clock, self.zone)
        self.commands.follow_with(self.shown.follow)
        self.device_log = DeviceLog(self.store.readings, bus, clock)

    def _build_content(self, settings: Settings) -> None:
        allowed = tuple(ipaddress.ip_network(network) for network in settings.content.fetch_allow)
        self.pictures = Pictures(Fetcher(allowed))
        self.content = Content(self.pictures, show_s=settings.content.qr_show_s)
        self.screens = Screens(self.bus, self.clock, self.store.boots)
        self.commands.prepare_with("display_qr", self.content.prepare_qr)
        self.commands.prepare_with("store_picture", self.content.prepare_picture)
        self.commands.prepare_with("erase_picture", self.content.prepare_slot)
        self.commands.follow_with(self.screens.follow)

    def _build_links(self, settings: Settings) -> None:
        self.dispatcher = Dispatcher(self.commands, self.registry, self.content, self.bus, self.clock)
        self.attachments = Attachments(
            self.registry, self.presences, self.dispatcher, self.device_log, self.bus, self.screens.note
        )
        self.ports = Supervisor(
            [parse(spec) for spec in settings.serial.ports],
            openers={
                Profile.NATIVE: NativeConversation.open,
                Profile.VENDING: VendingLine.open,
                Profile.NIC_DISPLAY: NicDisplay.open,
            },
            clock=self.clock,
            on_up=self.attachments.up,
            on_down=self.attachments.down,
            on_port=lambda view: self.bus.publish(PortChanged(view=view)),
            scan=settings.serial.scan,
            lines=Lines(settings.serial.lines),
        )
        self.upkeep = Upkeep(self.commands, self.registry, lambda: self.screens.overdue(settings.content.qr_show_s))

    def _build_guard(self, settings: Settings) -> None:
        limits = settings.limits
        self.knocking = Knocking(self.clock)
        self.guard = Guard(
            self.keys,
            self.clock,
            authenticated_per_minute=limits.authenticated_per_minute,
            anonymous_per_minute=limits.anonymous_per_minute,
        )
        self.views = DeviceViews(
            self.presences,
            self.agents,
            self.commands,
            self.shown,
            self.screens,
            self.dispatcher.links,
            self.store.boots,
        )

    def _core(self) -> Core:
        return Core(
            settings=self.settings,
            directory=self.directory,
            zone=self.zone,
            clock=self.clock,
            bus=self.bus,
            store=self.store,
            keys=self.keys,
            guard=self.guard,
            knocking=self.knocking,
            registry=self.registry,
            groups=self.groups,
            presences=self.presences,
            commands=self.commands,
            agents=self.agents,
            device_log=self.device_log,
            dispatcher=self.dispatcher,
            attachments=self.attachments,
            view=self.views.of,
        )

    def _build_parts(self) -> None:
        core = self._core()
        self.telemetry = TelemetryPart(core)
        self.assets = AssetsPart(core, self.telemetry)
        self.twins = TwinsPart(core, self.telemetry)
        self.vending = VendingPart(core, self.ports)
        self.loggers = LoggersPart(core, self.telemetry, self.assets)
        self.people = PeoplePart(core)
        self.hooks = HooksPart(core)
        self.updates = UpdatesPart(core)
        self.rollouts = RolloutsPart(core, self.updates)
        self.panels = ContentPart(core, self.pictures, self.telemetry, self.assets, self.screens)
        self.cms = PersonalCmsPart(core, self.telemetry, self.updates, self.rollouts, self.panels, self.forget)
        self.flashing = FlashingPart(core, self.updates, self.ports)
        self.field = FieldPart(core, self.telemetry, self.twins, self.vending, self.rollouts.handing, self.panels)
        self.bluetooth = BluetoothPart(core, self.telemetry)
        self.provision = ProvisionPart(core, self.ports, self.bluetooth, self.field)
        self.things = ThingsPart(core, self.telemetry, self.twins, self.people, self.hooks, self.forget)
        self.asset_pages = AssetPagesPart(core, self.assets, self.people, self.things, self.forget)
        self.sync = SyncPart(
            core,
            self.telemetry,
            self.twins,
            self.vending,
            self.assets,
            self.people,
            self.things,
            self.updates,
            self.rollouts,
            self.panels,
            self._told_afar,
        )
        self.nic = NicPart(core, self.content, self.shown, self.screens, self.loggers.register)
        self.parts: list[Part] = [
            ClockPart(core),
            self.telemetry,
            self.assets,
            self.twins,
            self.vending,
            self.loggers,
            self.people,
            self.hooks,
            self.updates,
            self.rollouts,
            self.panels,
            self.cms,
            TrmnlPart(core, self.telemetry, self.panels),
            self.flashing,
            self.field,
            self.bluetooth,
            self.provision,
            self.things,
            self.asset_pages,
            self.sync,
            self.nic,
        ]

    def _build_api(self, settings: Settings) -> None:
        self.status = Status(
            settings.site.name, self.zone, self.store, self.registry, self.presences, self.commands, self.clock
        )
        self.status.notes_of([part.problems for part in self.parts])
        others = [part.translate for part in self.parts]
        translate = Translator(self.registry, self.clock, self.views.of, self.store.boots, others)
        live = Live(OneChannel(self.bus, translate, self._facts, lambda: self.store.hub.writer.facts))
        metrics = Metrics([self.status.samples, *(part.samples for part in self.parts)])
        capabilities = (  # first what is matched the most often
            CommandRoutes(self.commands, self.history, self.registry, self.clock, self.store.boots),
            DeviceRoutes(self.registry, self.agents, self.views.of, self.forget),
            GroupRoutes(self.groups),
            KeyRoutes(self.keys),
            ContentRoutes(self.content),
            PortRoutes(self.ports, self.clock),
            live,
            HubRoutes(self.store.hub, self.knocking, metrics, self.status.view, lambda: self.routes),
        )
        self.routes: list[Route] = [route for capability in capabilities for route in capability.all()]
        self.routes += [route for part in self.parts for route in part.routes()]
        self.app = build(
            self.routes,
            [route for part in self.parts for route in part.legacy()],
            self.guard,
            self.knocking,
            body_bytes=settings.limits.body_bytes,
            body_s=settings.limits.body_s,
        )
        for let_go in (live.stop, self.field.let_go, self.things.let_go, self.asset_pages.let_go):
            self.app.on_shutdown.append(let_go)

    async def _facts(self, after: int, limit: int) -> list[FactView]:
        return [fact_view(fact, self.store.boots) for fact in await facts(self.store.hub, after, limit)]

    async def forget(self, device: Device, actor: str) -> None:
        """Take a device's names and approval away, and what still waits for it."""
        await self.agents.end(device.id, actor=actor)
        for command in self.commands.open_for(device.id):
            await self.commands.drop(command, f"The device was forgotten by {actor}.")
        for part in self.parts:
            await part.forget(device, actor)
        await self.groups.forget(device)
        await self.registry.forget(device, actor=actor)
        self.attachments.again(device.id)

    async def probe(self) -> bool:
        """Whether a commit goes through and every background task lives: what the watchdog is fed by."""
        try:
            async with asyncio.timeout(PROBE_S):
                await self.store.hub.prove()
        except StorageFull:
            pass  # told and refused with 507; starting anew would free nothing
        except (TimeoutError, StorageError):
            return False
        return not any(task.done() for task in self._tasks)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """The store open and everything loaded; nothing listens and nothing runs yet."""
        await self.store.open()
        try:
            await self.keys.start(self.directory)
            await self.registry.start()
            await self.presences.start()
            await self.agents.start()
            self.screens.recall(await self.history.last_shown())
            await self.commands.start()
            await self.shown.start()
            for part in self.parts:
                await part.start()
            yield
            await self.presences.flush()
        finally:
            await self.store.close()

    @contextlib.asynccontextmanager
    async def serving(
        self, *, listens: list[Listen] | None = None, brief: bool = False
    ) -> AsyncIterator[list[Listen]]:
        """Everything running; yields the addresses bound. `listens` empty: the unix socket alone. `brief`: for a
        moment, so no port is opened, and what decodes pictures comes with the first picture."""
        hub = self.settings.hub
        wanted = parse_listens(hub.listen, legacy_ports=hub.legacy_ports) if listens is None else listens
        tls = None
        if any(listen.tls for listen in wanted):
            tls = tls_context(self.settings.hub.tls_cert, self.settings.hub.tls_key)
        with self.field.found(wanted):  # before all else: older machines ask once, when the power comes back
            async with self._served(wanted, tls, brief) as bound:
                yield bound

    @contextlib.asynccontextmanager
    async def _served(
        self, wanted: list[Listen], tls: ssl.SSLContext | None, brief: bool
    ) -> AsyncIterator[list[Listen]]:
        async with self.opened(), asyncio.TaskGroup() as group:
            if not brief:
                await self.pictures.start()
            server = Server(self.app)
            self._tasks = [
                group.create_task(self.dispatcher.run(), name="dispatcher"),
                group.create_task(self.attachments.run(), name="attachments"),
                group.create_task(self.presences.watch(self.registry.all), name="presences"),
                group.create_task(self.upkeep.run(), name="upkeep"),
            ]
            self._tasks += [
                group.create_task(work(), name=name) for part in self.parts for name, work in part.tasks().items()
            ]
            if not brief:
                self._tasks.append(group.create_task(self.ports.run(), name="ports"))
                self._tasks.append(group.create_task(self.bluetooth.radio.run(), name="bluetooth"))
            check = group.create_task(self.store.check_readings(), name="check")  # not a task that has to live
            try:
                bound = await server.start(wanted, tls, self.directory / SOCKET_NAME)
                self.field.serves(bound)
                yield bound
            finally:
                await server.stop()
                for part in reversed(self.parts):
                    await part.stop()
                for task in (check, *self._tasks):
                    task.cancel()
                await self.pictures.close()

    def _told_afar(self) -> list[str]:
        """What head office has to know beyond what the hub's report counts."""
        return [*self.status.problems(), *self.ports.failures()]
