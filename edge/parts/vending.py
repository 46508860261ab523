"""Slots, inventory and transactions, and the older vending machines."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping

import msgspec
from aiohttp import web

from edge.bus import Event
from edge.commands.history import History
from edge.compat.vending.facade import OldVending
from edge.compat.vending.page import Ports
from edge.devices.model import Device
from edge.parts.part import Core, Part
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.vending.events import SlotChanged, TransactionChanged
from edge.vending.inventory import KIND, Inventory
from edge.vending.routes import VendingRoutes
from edge.vending.rule import VendRule
from edge.vending.views import slot_view, vend_view
from edge.vending.watch import Watch
from edge.wire.commands import State
from edge.wire.views import LiveEvent

EVERYWHERE = ("0.0.0.0/0", "::/0")  # on a bench, where everything is approved by itself, pages are too


class VendingPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core, ports: Ports) -> None:
        self._core = core
        self.rule = VendRule(core.store.hub, core.presences)
        self.inventory = Inventory(core.store.hub, core.registry, core.commands)
        self._watch = Watch(core.bus, core.registry, core.presences, self.inventory)
        core.commands.prepare_with("vend", self.rule.prepare)
        core.commands.rule_with("vend", self.rule)
        self._old = OldVending(
            gate=core.guard,
            knocks=core.knocking,
            clock=core.clock,
            registry=core.registry,
            presences=core.presences,
            commands=core.commands,
            history=History(core.store.hub),
            device_log=core.device_log,
            inventory=self.inventory,
            links=core.attachments.links,
            again=core.attachments.again,
            ports=ports,
            pages=EVERYWHERE if core.settings.hub.auto_approve else core.settings.vending.pages,
            body_s=core.settings.limits.body_s,
        )

    def routes(self) -> list[Route]:
        """Slots, vends, transactions and movements."""
        core = self._core
        return VendingRoutes(self.inventory, core.registry, core.presences, core.clock, core.store.boots).all()

    def legacy(self) -> list[web.RouteDef]:
        """The older vending system's paths."""
        return self._old.routes()

    async def start(self) -> None:
        """Load what it keeps."""
        await self.rule.start()
        await self.inventory.start()
        await self._old.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Machines that come and go, and vends that an old one never confirmed."""
        return {"vending": self._watch.run, "old-vending": self._old.run}

    def samples(self) -> list[Sample]:
        """How vends stand: the share in doubt is what a fleet is judged by."""
        by_state = {f'{{state="{state.value}"}}': float(self.rule.tally[state.value]) for state in State}
        return [Sample("vends", "gauge", "Vends there ever were, by how they stand.", by_state)]

    async def hear_health(self, device: Device, health: Mapping[str, object]) -> None:
        """A device with our firmware has said how it is, and a machine among it how many slots it has."""
        await self.inventory.has_said(device, health.get("slots"))

    async def translate(self, event: Event) -> LiveEvent | None:
        """Slots and transactions as they are now."""
        known = self._core.registry.known
        if isinstance(event, SlotChanged):
            online = self._core.presences.online(known(event.slot.stock.device_id))
            return LiveEvent(topic="slot", data=msgspec.to_builtins(slot_view(event.slot, online=online)))
        if isinstance(event, TransactionChanged):
            view = vend_view(self.inventory.dated(event.vend), known(event.vend.device_id).name)
            return LiveEvent(topic="transaction", data=msgspec.to_builtins(view))
        return None

    async def forget(self, device: Device, actor: str) -> None:
        """Its slots go with it."""
        self._old.forget(device)
        if device.kind == KIND:
            await self.inventory.forget(device, actor)
