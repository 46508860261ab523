"""The older sensors-and-switches platform: its devices and its apps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web

from edge.access.accounts.accounts import UserGone
from edge.compat.thingsnxt.apps import Forget
from edge.compat.thingsnxt.door import Door, Table
from edge.compat.thingsnxt.facade import Things
from edge.devices.model import Device
from edge.devices.presence import DeviceChanged
from edge.errors import OutpostError
from edge.parts.hooks import HooksPart
from edge.parts.part import Core, Part
from edge.parts.people import PeoplePart
from edge.parts.telemetry import TelemetryPart
from edge.parts.twins import TwinsPart
from edge.serving.addresses import address_of
from edge.wire.asked import Answered, Asked

log = logging.getLogger(__name__)

HISTORY_MAX = 400  # points of a chart: more than a telephone is wide


class ThingsPart(Part):
    """Built by the hub. `forget(device, actor)` is the hub's own, through which all parts let a device go."""

    def __init__(
        self,
        core: Core,
        telemetry: TelemetryPart,
        twins: TwinsPart,
        people: PeoplePart,
        hooks: HooksPart,
        forget: Forget,
    ) -> None:
        self._core, self._telemetry, self._people, self._widgets = core, telemetry, people, twins.widgets
        self._things = Things(
            door=Door(core.guard, people.accounts, core.clock, body_s=core.settings.limits.body_s),
            users=people.accounts,
            knocks=core.knocking,
            bus=core.bus,
            zone=core.zone,
            registry=core.registry,
            presences=core.presences,
            telemetry=telemetry.telemetry,
            past=self._past,
            twins=twins.twins,
            widgets=twins.widgets,
            schedules=twins.schedules,
            notices=twins.notices,
            hooks=hooks.hooks,
            device_log=core.device_log,
            source=address_of,
            forget=forget,
        )

    def legacy(self) -> list[web.RouteDef]:
        """The older platform's paths."""
        return self._things.routes()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Telling its apps what happens; removing what belonged to accounts that are gone."""
        return {
            "things": self._things.run,
            "things-owners": self._drop_lost,
            "things-webhooks": self._follow_owners,
        }

    def also_visited(self, table: Table) -> None:
        """People of the centre may ask this here too."""
        self._things.visiting.also(table)

    async def visit(self, asked: Asked) -> Answered:
        """What a person of the centre asks of his things here, done as him."""
        user = self._people.accounts.user_by_id(asked.person)
        if user is None or not user.active:
            return Answered(id=asked.id, status=404, known=False)
        status, raw = await self._things.visiting.visit(
            user, asked.method, asked.path, asked.query, asked.body.encode("utf-8", "surrogatepass")
        )
        return Answered(id=asked.id, status=status, body=raw.decode())

    async def forget(self, device: Device, actor: str) -> None:
        """Its owner's apps are told."""
        self._things.forget(device)

    async def let_go(self, app: web.Application) -> None:
        """Let every reader go, so that none holds up the hub's end."""
        self._things.stop()

    async def _past(
        self, device_id: str, key: str, from_us: int, to_us: int, bucket_s: int
    ) -> list[tuple[int, Any]]:
        page = await self._telemetry.telemetry.history(device_id, key, from_us, to_us, bucket_s, HISTORY_MAX)
        return [(point.at_us, point.value) for point in page.points]

    async def _follow_owners(self) -> None:
        """A webhook of an app tells of its account's devices alone."""
        subscription = self._core.bus.subscribe(only=(DeviceChanged,))
        try:
            while True:
                try:
                    await self._things.webhooks.follow_owners()
                except OutpostError:
                    log.exception("an app's webhook could not be kept to its owner's devices; it is tried again")
                await subscription.get()
        finally:
            subscription.close()

    async def _drop_lost(self) -> None:
        """Dashboards and webhooks whose account is gone go too; also those a stop of the hub has left."""
        subscription = self._core.bus.subscribe(only=(UserGone,))
        try:
            await self._drop_what_is_gone()
            async for _ in subscription:
                await self._drop_what_is_gone()
        finally:
            subscription.close()

    async def _drop_what_is_gone(self) -> None:
        await self._widgets.drop_owners(self._is_gone)
        await self._things.webhooks.drop_owners(self._is_gone)

    def _is_gone(self, user_id: str) -> bool:
        return self._people.accounts.user_by_id(user_id) is None
