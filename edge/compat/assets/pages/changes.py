"""What people change at the pages of a hub: their loggers and their machines, never another's.

A logger that is registered at the page is the person's from then on. Whether its word counts stays a technician's
to say: one that is new waits for approval, however it came here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from edge.assets.defined.definitions import Assets
from edge.assets.defined.wirings import Definition
from edge.assets.history.importing import PROFILE, SYSTEM
from edge.compat.assets.callers import ID_FACT
from edge.compat.assets.pages import documents
from edge.compat.assets.pages.entry import Table, body_of, text_of, told
from edge.compat.assets.pages.here import DESCRIPTION, KIND, LOCATION, SitePlant, logger_id_of
from edge.compat.assets.pages.past import Past
from edge.compat.assets.reports import PINS, pin_of
from edge.compat.thingsnxt.door import Visit
from edge.devices.model import Device, Facts
from edge.devices.registry import Registry
from edge.errors import BadInput, Busy, Conflict
from edge.wire.assets import ChangeAsset, NewAsset, Wire

LOGGERS = 100  # of one account
PLACE_CHARS = 200  # of what people write of a logger
PIN_NAMES = ("pin_number", "pinNumber", "pin", "input")
PIN = "pin_"  # how readings of an older logger's input are called
SHORTEST_S, LONGEST_S = 0.0, 86_400.0

Forget = Callable[[Device, str], Awaitable[None]]


class AssetChanges:
    """Makes the changes. `forget(device, actor)` is the hub's own, through which all parts let a device go."""

    def __init__(
        self, plant: SitePlant, registry: Registry, assets: Assets, now_us: Callable[[], int], forget: Forget
    ) -> None:
        self._plant, self._registry, self._assets = plant, registry, assets
        self._now_us, self._forget = now_us, forget

    def table(self) -> Table:
        """What people may ask; pages have two words for loggers."""
        return {
            ("POST", "/api/loggers"): self.claim,
            ("PUT", "/api/loggers/{id}"): self.change_logger,
            ("PUT", "/api/device/update/{id}"): self.change_logger,
            ("DELETE", "/api/loggers/{id}"): self.delete_logger,
            ("DELETE", "/api/device/delete/{id}"): self.delete_logger,
            ("POST", "/api/assets"): self.add_asset,
            ("PUT", "/api/assets/{id}"): self.change_asset,
            ("DELETE", "/api/assets/{id}"): self.delete_asset,
        }

    # --- loggers

    async def claim(self, visit: Visit) -> web.Response:
        """POST /api/loggers: "manual registration". One that is here and nobody's is his; one that is not here is
        expected from now on."""
        body = body_of(visit)
        logger_id = text_of(body, "logger_id", "loggerId") or ""
        if not logger_id:
            raise BadInput("Logger ID is required")
        seen = await self._plant.seen(visit.user)
        if len(seen.loggers) >= LOGGERS:
            raise Conflict(f"An account has at most {LOGGERS} loggers.")
        device = self._free(logger_id) or await self._expected(logger_id, body)
        device = await self._registry.set_owner(device, visit.user.id, actor=visit.actor)
        device = await self._described(device, body, visit.actor)
        return await self._logger(visit, device, "Logger registered successfully")

    async def change_logger(self, visit: Visit) -> web.Response:
        """PUT /api/loggers/{id}, /api/device/update/{id}: its name, place and description."""
        device = await self._described(await self._mine(visit), body_of(visit), visit.actor)
        return await self._logger(visit, device, "Logger updated successfully")

    async def delete_logger(self, visit: Visit) -> web.Response:
        """DELETE /api/loggers/{id}, /api/device/delete/{id}: forgotten, as by a technician. What it told is kept;
        one that still speaks comes back as a new one, which waits for approval."""
        await self._forget(await self._mine(visit), visit.actor)
        return told(message="Logger deleted successfully")

    # --- assets

    async def add_asset(self, visit: Visit) -> web.Response:
        """POST /api/assets: a machine at an input of his logger; one that came by itself gets its name."""
        body, seen = body_of(visit), await self._plant.seen(visit.user)
        logger = seen.logger(text_of(body, "logger_id", "loggerId") or "")
        name, key = text_of(body, "name") or "", self._input(body, logger.id)
        known = self._assets.by_input(logger.id, key)
        if known is not None and not known.named:
            wanted = ChangeAsset(name=name, line=text_of(body, "line"), short_stop_s=_threshold(body))
            one = await self._assets.change(known, wanted, actor=visit.actor)
        else:
            new = NewAsset(name=name, device=logger.id, input=key, line=text_of(body, "line") or "")
            threshold_s = _threshold(body)
            if threshold_s is not None:
                new = NewAsset(name=name, device=logger.id, input=key, line=new.line, short_stop_s=threshold_s)
            one = await self._assets.add(new, actor=visit.actor)
        return await self._asset(visit, one, "Asset created")

    async def change_asset(self, visit: Visit) -> web.Response:
        """PUT /api/assets/{id}: its name, its line, its threshold; another pin of its logger tells of it from now
        on."""
        seen, body = await self._plant.seen(visit.user), body_of(visit)
        machine = seen.machine(visit.params["id"])
        one = self._assets.get(machine.key)
        wanted = ChangeAsset(name=text_of(body, "name"), line=text_of(body, "line"), short_stop_s=_threshold(body))
        logger_id = text_of(body, "logger_id", "loggerId") or ""
        if logger_id and seen.logger(logger_id).id != machine.logger:
            raise BadInput("An asset stays at its logger; a technician can wire it to another")
        pin = text_of(body, *PIN_NAMES) or ""
        if pin not in ("", str(machine.pin), machine.input):
            wire = Wire(device=machine.logger, input=self._input(body, machine.logger), inverted=one.wired.inverted)
            one = await self._assets.wire(one, wire, actor=visit.actor)
        return await self._asset(visit, await self._assets.change(one, wanted, actor=visit.actor), "Asset updated")

    async def delete_asset(self, visit: Visit) -> web.Response:
        """DELETE /api/assets/{id}: out of every list and sum; its history stays, and a technician can take it
        back."""
        await self._assets.change(await self._own(visit), ChangeAsset(removed=True), actor=visit.actor)
        return told(message="Asset deleted")

    # --- inside

    def _free(self, logger_id: str) -> Device | None:
        """The logger that calls itself so and is nobody's. Raises Conflict for another's, or where several do."""
        known = [device for device in self._registry.all() if device.kind == KIND and logger_id in _names(device)]
        free = [device for device in known if not device.owner]
        if len(free) > 1:
            raise Conflict(
                f"{len(free)} loggers call themselves {logger_id[:40]}: a technician has to say whose each is."
            )
        if known and not free:
            raise Conflict("Logger ID is already registered")
        return free[0] if free else None

    async def _expected(self, logger_id: str, body: Mapping[str, Any]) -> Device:
        """A logger that has not spoken yet."""
        name = text_of(body, "logger_name", "name") or logger_id
        facts: Facts = {ID_FACT: logger_id}
        device = await self._registry.take_in(SYSTEM, logger_id, PROFILE, name=name, facts=facts)
        if device is None:
            raise Busy("Too many devices wait for approval at this site.")
        return device

    async def _described(self, device: Device, body: Mapping[str, Any], actor: str) -> Device:
        name = text_of(body, "logger_name", "name")
        if name:
            device = await self._registry.rename(device, name, actor=actor)
        given = {LOCATION: text_of(body, "location"), DESCRIPTION: text_of(body, "description")}
        words: Facts = {fact: text[:PLACE_CHARS] for fact, text in given.items() if text is not None}
        return await self._registry.describe(device, words, actor=actor) if words else device

    async def _mine(self, visit: Visit) -> Device:
        """The person's logger that the path names. Raises NotFound."""
        seen = await self._plant.seen(visit.user)
        return self._registry.get(seen.logger(visit.params["id"]).id)

    async def _own(self, visit: Visit) -> Definition:
        """The person's machine that the path names. Raises NotFound."""
        seen = await self._plant.seen(visit.user)
        return self._assets.get(seen.machine(visit.params["id"]).key)

    async def _logger(self, visit: Visit, device: Device, message: str) -> web.Response:
        seen = await self._plant.seen(visit.user)
        return told(message=message, logger=documents.logger(seen, self._plant.logger(device)))

    async def _asset(self, visit: Visit, one: Definition, message: str) -> web.Response:
        seen, now_us = await self._plant.seen(visit.user), self._now_us()
        machine = seen.machine(one.id)
        sums = await Past(seen.bands).sums([machine], [now_us])
        return told(message=message, asset=documents.asset(seen, machine, sums[machine.key, now_us]))

    def _input(self, body: Mapping[str, Any], device_id: str) -> str:
        """The input a page means by a pin: an older logger's are called by their number. Raises BadInput."""
        pin = text_of(body, *PIN_NAMES) or ""
        if not pin:
            raise BadInput("Pin number is required")
        older = self._registry.known(device_id).profile == PROFILE
        key = pin if not (pin.isascii() and pin.isdecimal()) else f"{PIN if older else 'in'}{pin}"
        if older and pin_of(key) is None:
            raise BadInput(f"Pin number is a number from 0 to {PINS - 1}")
        return key


def _names(device: Device) -> tuple[str, ...]:
    return (device.id, logger_id_of(device), *(alias for system, alias in device.aliases if system == SYSTEM))


def _threshold(body: Mapping[str, Any]) -> float | None:
    """The threshold of a short stop in seconds, None where none is given. Raises BadInput."""
    value = body.get("short_stop_threshold", body.get("microstop_threshold"))
    if value is None:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError) as error:
        raise BadInput("short_stop_threshold is a number of seconds") from error
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise BadInput(f"short_stop_threshold lies between {SHORTEST_S:g} and {LONGEST_S:g} seconds")
    return seconds
