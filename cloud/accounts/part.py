"""Who may do what at the centre, built and wired."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

from cloud.accounts.guard import Guard
from cloud.accounts.keys import RELOAD_S, Keys
from cloud.part import Core, Part


class AccountsPart(Part):
    """Keys, the guard, the audit."""

    def __init__(self, core: Core, directory: Path) -> None:
        self._directory = directory
        self.keys = Keys(core.db, core.clock)
        limits = core.settings.limits
        self.guard = Guard(
            self.keys,
            core.clock,
            authenticated_per_minute=limits.authenticated_per_minute,
            anonymous_per_minute=limits.anonymous_per_minute,
        )

    async def start(self) -> None:
        """Make or load the keys."""
        await self.keys.start(self._directory)

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Keys are read anew every few seconds."""
        return {"keys": self._reload}

    async def _reload(self) -> None:
        while True:
            await asyncio.sleep(RELOAD_S)
            await self.keys.reload()
