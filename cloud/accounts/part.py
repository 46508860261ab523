"""Who may do what at the centre, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path

from cloud.accounts.account_routes import AccountRoutes
from cloud.accounts.guard import Guard
from cloud.accounts.keys import Keys
from cloud.accounts.logins import Logins
from cloud.accounts.tenants import Tenants
from cloud.part import Core, Part
from edge.serving.routing import Route


class AccountsPart(Part):
    """Keys, people's logins, the guard, the audit."""

    def __init__(self, core: Core, directory: Path) -> None:
        self._directory = directory
        self.keys = Keys(core.db, core.signals, core.clock)
        limits = core.settings.limits
        self.logins = Logins(
            core.db, core.signals, core.clock, secure=core.settings.centre.url.startswith("https://")
        )
        self.guard = Guard(
            self.keys,
            self.logins,
            core.clock,
            authenticated_per_minute=limits.authenticated_per_minute,
            anonymous_per_minute=limits.anonymous_per_minute,
        )

        self._routes = AccountRoutes(core.db, self.keys, Tenants(core.db, self.keys, core.clock))

    def routes(self) -> list[Route]:
        """Keys, tenants, the audit."""
        return self._routes.all()

    async def start(self) -> None:
        """Make or load the keys."""
        await self.keys.start(self._directory)
        await self.logins.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Keys and logins are read anew."""
        return {"keys": self.keys.keep_fresh, "logins": self.logins.keep_fresh}
