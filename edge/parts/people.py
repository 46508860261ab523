"""Accounts of those who use apps at this site."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine

from aiohttp import web

from edge.access.accounts.accounts import Accounts, UserGone
from edge.access.accounts.model import SignUp
from edge.access.accounts.passwords import Passwords
from edge.access.accounts.resets import Resets
from edge.access.accounts.routes import AccountRoutes
from edge.compat.assets.auth import AssetAuth
from edge.compat.thingsnxt.accounts import ThingsnxtAccounts
from edge.compat.thingsnxt.door import Door
from edge.devices.model import Device
from edge.errors import ConfigError, OutpostError
from edge.parts.part import Core, Part
from edge.serving.addresses import address_of
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Route
from edge.wire.people import SetOwner
from edge.wire.views import DeviceView

log = logging.getLogger(__name__)


class PeoplePart(Part):
    """Built by the hub. Others build upon `accounts`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        database, clock = core.store.hub, core.clock
        bench = core.settings.hub.auto_approve and core.settings.accounts.signup == SignUp.APPROVE
        policy = SignUp.OPEN if bench else _sign_up(core.settings.accounts.signup)
        self.accounts = Accounts(database, core.bus, clock, Passwords(), sign_up=policy)
        self._resets = Resets(database, clock, self.accounts)
        self._routes = AccountRoutes(self.accounts, self._resets, lambda user_id: len(self._devices_of(user_id)))
        core.guard.know_people_by(lambda token: self.accounts.user_of(token).actor)

    def routes(self) -> list[Route]:
        """/v1/users, /v1/devices/{id}/owner."""
        tech, owner = Role.TECHNICIAN, "Say whose it is: the account sees it in the older apps"
        path = "/v1/devices/{id}/owner"
        return [
            *self._routes.all(),
            Route("PUT", path, self.own, owner, tech, body=SetOwner, returns=DeviceView),
        ]

    def legacy(self) -> list[web.RouteDef]:
        """The older systems' paths for accounts."""
        door = Door(self._core.guard, self.accounts, self._core.clock, body_s=self._core.settings.limits.body_s)
        things = ThingsnxtAccounts(door, self.accounts, self._resets, address_of)
        return [*things.routes(), *AssetAuth(door, self.accounts, address_of).routes()]

    async def start(self) -> None:
        """Load the accounts."""
        await self.accounts.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Taking devices from accounts that are gone."""
        return {"people": self._run}

    async def own(self, call: Call) -> Answer:
        """PUT /v1/devices/{id}/owner."""
        wanted: SetOwner = call.body
        device = self._core.registry.get(call.param("id"))
        owner = self.accounts.get(wanted.user).id if wanted.user else ""
        return self._core.view(await self._core.registry.set_owner(device, owner, actor=call.actor))

    async def _run(self) -> None:
        subscription = self._core.bus.subscribe(only=(UserGone,))
        try:
            await self._disown_lost()
            async for _ in subscription:
                await self._disown_lost()
        finally:
            subscription.close()

    async def _disown_lost(self) -> None:
        """Devices whose account is gone belong to nobody; also those a stop of the hub has left."""
        for device in self._core.registry.all():
            if device.owner and self.accounts.user_by_id(device.owner) is None:
                try:
                    await self._core.registry.set_owner(device, "", actor="account deleted")
                except OutpostError:
                    log.exception("a device keeps an owner who is gone", extra={"device": device.id})

    def _devices_of(self, user_id: str) -> list[Device]:
        return [device for device in self._core.registry.all() if device.owner == user_id]


def _sign_up(text: str) -> SignUp:
    try:
        return SignUp(text)
    except ValueError:
        known = ", ".join(policy.value for policy in SignUp)
        raise ConfigError(f"accounts.signup is {text!r}; it is one of {known}.") from None
