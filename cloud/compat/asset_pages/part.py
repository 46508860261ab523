"""The older asset logger's pages at the centre, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from cloud.accounts.app_logins import AppLogins
from cloud.assets.question_store import Key
from cloud.compat.asset_pages.changes import ChangesAnywhere
from cloud.compat.asset_pages.plant import CentrePlant
from cloud.compat.things.sites import Sites
from cloud.part import Core
from edge.compat.assets.pages.pages import AssetPages
from edge.compat.thingsnxt.door import Door
from edge.serving.metrics import Sample
from edge.serving.visits import AiohttpHandler


class AssetPagesPeople:
    """Their requests, and what is told to them."""

    def __init__(self, core: Core, door: Door, logins: AppLogins, sites: Sites) -> None:
        plant = CentrePlant(core.db, core.signals, core.clock)
        changes = ChangesAnywhere(plant, sites, core.db, core.clock).table()
        self._pages = AssetPages[Key](door, logins, logins, plant, core.clock, changes)

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Its routes."""
        return self._pages.table()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Telling the pages what happens."""
        return {"asset-pages": self._pages.live.run}

    def samples(self) -> list[Sample]:
        """Pages that listen."""
        return self._pages.live.samples()

    async def let_go(self) -> None:
        """Let every page go, so that none holds up the end."""
        await self._pages.live.stop()
