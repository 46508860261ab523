"""A hub's loggers and machines, as its people see them: each his own, and whose nobody has claimed a chosen one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from edge.access.accounts.model import User
from edge.assets.answers.asking import Bands
from edge.assets.defined.definitions import Assets
from edge.assets.defined.wirings import Definition
from edge.assets.events import AssetChanged, AssetDefined, RulesChanged, StopExplained
from edge.assets.history.importing import SYSTEM
from edge.bus import Bus, Subscription
from edge.compat.assets.callers import ADDRESS_FACT, FIRMWARE_FACT, ID_FACT
from edge.compat.assets.pages.plant import Logger, Seen
from edge.compat.assets.pages.seen import machine_of, place_of
from edge.devices.model import Device
from edge.devices.presence import DeviceChanged, Presences
from edge.devices.registry import Registry
from edge.wire.assets import AssetView

KIND = "logger"
LOCATION, DESCRIPTION = "people_location", "people_description"  # what people wrote of it; its own words stay
TELLS = (AssetChanged, AssetDefined, RulesChanged, StopExplained, DeviceChanged)

View = Callable[[Definition], Awaitable[AssetView]]


class SitePlant:
    """What the people of one hub see. `view` shows an asset as it is now; `keeper()` is the id of the account that
    loggers belong to which nobody has claimed, '' for nobody's."""

    def __init__(
        self,
        *,
        registry: Registry,
        presences: Presences,
        assets: Assets,
        view: View,
        bands: Bands[str],
        bus: Bus,
        zone: ZoneInfo,
        keeper: Callable[[], str],
    ) -> None:
        self._registry, self._presences, self._assets = registry, presences, assets
        self._view, self._bus, self._zone, self._keeper = view, bus, zone, keeper
        self._bands = bands

    async def seen(self, user: User) -> Seen[str]:
        """What is his."""
        devices = {device.id: device for device in self._registry.all() if self.owner_of(device) == user.id}
        every = [one for one in self._assets.all() if one.wired.device in devices]
        watched = {one.wired.device for one in every}
        machines = [machine_of(await self._view(one), one.id) for one in every]
        theirs = [device for device in devices.values() if device.kind == KIND or device.id in watched]
        return Seen(
            bands=self._bands,
            places=(place_of("", "", self._zone, self._assets.rules()),),
            loggers=tuple(map(self.logger, theirs)),
            machines=tuple(machines),
        )

    def owner_of(self, device: Device) -> str:
        """Whose a device is, '' for nobody's."""
        return device.owner or (self._keeper() if device.kind == KIND else "")

    def logger(self, device: Device) -> Logger:
        """A device as the pages see it."""
        presence = self._presences.of(device.id)
        online = "online" if self._presences.online(device) else "offline"
        return Logger(
            id=device.id,
            logger_id=logger_id_of(device),
            name=device.name,
            status=online if device.approved else "pending",
            owner=device.owner,
            firmware=_text(device, FIRMWARE_FACT),
            address=_text(device, ADDRESS_FACT),
            location=_text(device, LOCATION) or _text(device, "location"),
            description=_text(device, DESCRIPTION) or _text(device, "description"),
            seen_us=None if presence is None else presence.stamp.at_us,
            created_us=device.created_us,
        )

    @contextmanager
    def news(self, user: User) -> Iterator[BusNews]:
        """Whatever happens to assets or devices."""
        subscription = self._bus.subscribe(only=TELLS)
        try:
            yield BusNews(subscription)
        finally:
            subscription.close()

    def tenant_of(self, user: User) -> int | None:
        """A hub has one house, which has all places."""
        return None


class BusNews:
    """Says that something has happened; what it was, whoever waits looks for himself."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    async def wait(self, seconds: float, /) -> bool:
        """Wait until something has happened, for so long at most; what happened until then is one."""
        if not await self._next(seconds):
            return False
        while await self._next(0):
            pass
        return True

    async def _next(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._subscription.get()
        except TimeoutError:
            return False
        return True


def logger_id_of(device: Device) -> str:
    """What a logger calls itself; one with our firmware goes by its id."""
    alias = next((alias for system, alias in device.aliases if system == SYSTEM), device.id)
    return _text(device, ID_FACT) or alias


def _text(device: Device, fact: str) -> str:
    return str(device.facts.get(fact) or "")
