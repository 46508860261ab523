"""Who may do what at the centre, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path

from cloud.accounts.account_routes import AccountRoutes
from cloud.accounts.guard import Guard
from cloud.accounts.keys import Keys
from cloud.accounts.logins import Logins
from cloud.accounts.people import People
from cloud.accounts.people_routes import PeopleRoutes
from cloud.accounts.tenants import Tenants
from cloud.part import Core, Part
from cloud.settings import Centre as CentreSettings
from edge.serving.routing import Route


class AccountsPart(Part):
    """Keys, people and their logins, the guard, tenants."""

    def __init__(self, core: Core, directory: Path) -> None:
        self._directory = directory
        self.keys = Keys(core.db, core.signals, core.clock)
        limits = core.settings.limits
        self.logins = Logins(core.db, core.signals, core.clock, secure=_is_https(core.settings.centre))
        self.people = People(core.db, core.clock, self.logins)
        self.guard = Guard(
            self.keys,
            self.logins,
            core.clock,
            authenticated_per_minute=limits.authenticated_per_minute,
            anonymous_per_minute=limits.anonymous_per_minute,
        )

        tenants = Tenants(core.db, self.keys, core.clock)
        self._routes = [
            *AccountRoutes(self.keys, tenants).all(),
            *PeopleRoutes(self.people, self.logins).all(),
        ]

    def routes(self) -> list[Route]:
        """Keys, tenants, people and their logins."""
        return self._routes

    async def start(self) -> None:
        """Make or load the keys."""
        await self.keys.start(self._directory)
        await self.logins.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Keys and logins are read anew."""
        return {"keys": self.keys.keep_fresh, "logins": self.logins.keep_fresh}


def _is_https(centre: CentreSettings) -> bool:
    """Whether people come over https: by the address they are told, else by all it listens on."""
    if centre.url:
        return centre.url.startswith("https://")
    return bool(centre.listen) and all(each.startswith("https://") for each in centre.listen)
