"""The older vending system's HTTP API, as its machines, its web page and its manual have it.

docs/compat/vending.md says what is served, and what differs. Every path also answers with leading slashes doubled,
since clients glue their base address and the path.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from edge.clock import Clock
from edge.commands.commands import Commands
from edge.commands.history import History
from edge.commands.intake import no_args
from edge.compat.vending.counter import VendingCounter
from edge.compat.vending.door import VendingDoor
from edge.compat.vending.handout import Handout
from edge.compat.vending.ids import PROFILE, SYSTEM
from edge.compat.vending.machines import Machines
from edge.compat.vending.page import Fleet, Ports, VendingPage
from edge.compat.vending.pages import Pages
from edge.compat.vending.talk import Talk
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device, DeviceState
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import OutpostError, Rejected
from edge.serving.visits import AiohttpHandler, Gate, Knocks
from edge.vending.inventory import Inventory

log = logging.getLogger(__name__)

OTHER_LINK = {SYSTEM: "serial", "serial": SYSTEM}  # a MAC in one may be a MAC in the other
SWEEP_S = 0.5  # how late a vend that nobody confirmed may be given up
NOT_OVER_WIFI = "does not understand {kind} over WiFi: its firmware knows VEND alone there and ignores the rest"


class OldVending:
    """The facade: `routes` for the application, `run` in the background.

    `links`: the cable of each device that has one; `again` takes the device on a cable in anew.
    """

    def __init__(
        self,
        *,
        gate: Gate,
        knocks: Knocks,
        clock: Clock,
        registry: Registry,
        presences: Presences,
        commands: Commands,
        history: History,
        device_log: DeviceLog,
        inventory: Inventory,
        links: Mapping[str, str],
        again: Callable[[str], None],
        ports: Ports,
        pages: tuple[str, ...],
        body_s: float,
    ) -> None:
        self._links, self._again, self._registry = links, again, registry
        self._door = VendingDoor(gate, knocks, clock, Pages(pages), body_s=body_s)
        talk = Talk(clock)
        self._handout = Handout(commands, history, registry, clock)
        self._machines = Machines(self._door, registry, presences, device_log, self._handout, talk)
        fleet = Fleet(registry, presences, self._machines, links, ports)
        counter = VendingCounter(fleet, inventory, talk)
        page = VendingPage(fleet, inventory, talk, counter.active)
        self._table = {**self._of_machines(), **self._of_readers(page), **self._of_actors(counter)}
        for kind in ("machine_status", "reboot"):
            commands.prepare_with(kind, self._preparer(kind))

    def routes(self) -> list[web.RouteDef]:
        """Every route, the browsers' preflights, and the doubled slashes."""
        plain = [web.route(method, path, handler) for (method, path), handler in self._table.items()]
        posts = sorted({path for method, path in self._table if method == "POST"})
        doubled = [
            web.route(method, f"/{{slashes:/+}}{path[1:]}", handler)
            for (method, path), handler in self._table.items()
        ]
        return [*plain, *(web.options(path, self._door.preflight) for path in posts), *doubled]

    async def start(self) -> None:
        """Remember what was under way when the hub stopped."""
        self._machines.start()
        await self._handout.start()

    async def run(self) -> None:
        """Give up what nobody confirmed, and see which machines are one; runs until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self._handout.settle_lost()
                await self._see_same_boards()
            except OutpostError:
                log.exception("what became of old vending machines could not be written down; it is tried again")

    def forget(self, device: Device) -> None:
        """A device is being forgotten."""
        self._machines.forget(device.id)

    async def _see_same_boards(self) -> None:
        """Offer a machine met on WiFi and on a cable as one; let its cable follow once a person has joined them."""
        for device_id in list(self._links):
            if self._registry.known(device_id).state is DeviceState.FORGOTTEN:
                self._again(device_id)
        for device in self._registry.all():
            if device.profile != PROFILE or device.approved:
                continue
            for system, alias in device.aliases:
                other = self._registry.by_alias(OTHER_LINK.get(system, ""), alias)
                if other is not None and other.id != device.id and other.profile == PROFILE:
                    await self._registry.take_in(system, alias, PROFILE, facts={"same_board_as": other.id})

    def _of_machines(self) -> dict[tuple[str, str], AiohttpHandler]:
        opened, machines = self._door.machine, self._machines
        return {
            ("POST", "/esp32/register"): opened(machines.register),
            ("POST", "/esp32/wifi/register"): opened(machines.connect),
            ("POST", "/esp32/connect"): opened(machines.connect),
            ("POST", "/esp32/confirm"): opened(machines.confirm),
            ("POST", "/esp32/wifi/confirm"): opened(machines.confirm),
            ("POST", "/esp32/data"): opened(machines.data),
            ("GET", "/esp32/wifi/command"): opened(machines.documented_poll),
        }

    def _of_readers(self, page: VendingPage) -> dict[tuple[str, str], AiohttpHandler]:
        opened = self._door.reading
        return {
            ("GET", "/status"): opened(page.status),
            ("GET", "/esp32/communication/mode"): opened(page.mode),
            ("GET", "/esp32/communication/log"): opened(page.log),
            ("GET", "/esp32/devices/list"): opened(page.devices),
            ("GET", "/esp32/devices"): opened(page.devices),
            ("GET", "/esp32/serial/scan"): opened(page.scan),
            ("GET", "/esp32/serial/status"): opened(page.serial_status),
            ("GET", "/esp32/commands/history"): opened(page.history),
            ("GET", "/esp32/commands/{device_id}"): self._door.machine(self._machines.poll),  # after history
        }

    def _of_actors(self, counter: VendingCounter) -> dict[tuple[str, str], AiohttpHandler]:
        opened = self._door.acting
        return {
            ("POST", "/vend/{slot}"): opened(counter.vend_path),
            ("POST", "/vend"): opened(counter.vend_body),
            ("POST", "/esp32/devices/select"): opened(counter.select),
            ("POST", "/esp32/devices/auto-select"): opened(counter.auto_select),
            ("POST", "/esp32/communication/log/clear"): opened(counter.clear_log),
            ("POST", "/esp32/communication/log/test"): opened(counter.test_log),
            ("POST", "/esp32/communication/test"): opened(counter.test_log),
            ("POST", "/esp32/serial/connect"): opened(counter.connect),
            ("POST", "/esp32/serial/disconnect"): opened(counter.disconnect),
        }

    def _preparer(self, kind: str) -> Any:
        """Refuse at once what an old machine on the network would ignore in silence."""

        async def prepare(args: Mapping[str, Any], device: Device) -> dict[str, Any]:
            plain = no_args(args)
            deaf = device.profile == PROFILE and device.id not in self._links
            if deaf and not self._machines.goes_by_the_manual(device.id):
                raise Rejected(
                    f"{device.name} {NOT_OVER_WIFI.format(kind=kind)}.",
                    hint="Connect it by USB, or switch its power off and on.",
                )
            return plain

        return prepare
