"""The older sensors-and-switches app's people at the centre, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from aiohttp import web

from cloud.accounts.app_logins import AppLogins
from cloud.accounts.part import AccountsPart
from cloud.compat.things.acquaintances import Acquaintances
from cloud.compat.things.anywhere import Anywhere
from cloud.compat.things.following import Following
from cloud.compat.things.gate import AppGate
from cloud.compat.things.merging import Merging
from cloud.compat.things.sites import Sites
from cloud.compat.thingsnxt import ThingsApps
from cloud.fleet.part import FleetPart
from cloud.part import Core
from cloud.sync.part import SyncPart
from edge.access.accounts.model import SignUp
from edge.access.accounts.tokens import looks_like_one
from edge.compat.assets.auth import AssetAuth
from edge.compat.thingsnxt.accounts import ThingsnxtAccounts
from edge.compat.thingsnxt.door import Door, bearer
from edge.compat.thingsnxt.live import ThingsLive
from edge.errors import ConfigError
from edge.serving.addresses import address_of
from edge.serving.visits import AiohttpHandler


class ThingsPeople:
    """Their accounts, their requests, and what is told to them. `switches`: the button, by a key.

    `door` and `sites` serve the asset logger's pages too, which have the same people.
    """

    def __init__(
        self, core: Core, accounts: AccountsPart, sync: SyncPart, fleet: FleetPart, switches: ThingsApps
    ) -> None:
        self.logins = AppLogins(
            core.db,
            core.signals,
            core.clock,
            accounts.logins,
            accounts.people,
            sign_up=_sign_up(core.settings.accounts.signup),
        )
        gate = AppGate(accounts.guard, core.clock, core.settings.limits.authenticated_per_minute)
        self.door = Door(gate, self.logins, core.clock, body_s=core.settings.limits.body_s)
        self._accounts = ThingsnxtAccounts(self.door, self.logins, self.logins, address_of)
        self._acquaintances = Acquaintances(core.db, core.signals, core.clock, sync.inbox, fleet.asking)
        self.sites = sites = Sites(core.db, sync.visits, self._acquaintances, core.clock)
        self._anywhere = Anywhere(sites, Merging(core.db, sites, core.clock), switches)
        self._live = ThingsLive(
            self.door, self.logins, Following(sites, self.logins.current), self._anywhere.unread
        )

    def table(self, others: dict[tuple[str, str], AiohttpHandler]) -> dict[tuple[str, str], AiohttpHandler]:
        """Its routes. `others` answer on its paths who shows no person's token: boards, and keys of apps."""
        person = self.door.person
        latest, switch = ("GET", "/telemetry/latest"), ("POST", "/widgets/{id}/state")
        return {
            **self._accounts.table(),
            **AssetAuth(self.door, self.logins, address_of).table(),
            **self._live.table(),
            **{asked: person(handler) for asked, handler in self._anywhere.table().items()},
            latest: either(person(self._anywhere.latest), others[latest]),
            switch: either(person(self._anywhere.switch), others[switch]),
        }

    async def start(self) -> None:
        """Load the secret of tokens."""
        await self.logins.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Logins are read anew; hubs are told what has changed of people."""
        return {
            "app-logins": self.logins.keep_fresh,
            "acquaintances": self._acquaintances.run,
            "app-live": self._live.run,
        }

    def let_go(self) -> None:
        """Let every reader go, so that none holds up the end."""
        self._live.stop()


def either(person: AiohttpHandler, other: AiohttpHandler) -> AiohttpHandler:
    """A path for people with their token, and for whoever brings something else."""

    async def serve(request: web.Request) -> web.StreamResponse:
        return await (person if looks_like_one(bearer(request)) else other)(request)

    return serve


def _sign_up(text: str) -> SignUp:
    known = {policy.value: policy for policy in (SignUp.CLOSED, SignUp.APPROVE)}
    if text not in known:
        raise ConfigError(f"accounts.signup is {text!r}; it is one of {', '.join(known)}.")
    return known[text]
