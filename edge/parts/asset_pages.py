"""The older asset logger's web pages: what they read and change at this hub, and what they are told live."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from aiohttp import web
from aiohttp.web_urldispatcher import PlainResource, UrlMappingMatchInfo

from edge.access.accounts.tokens import looks_like_one
from edge.compat.assets.pages.changes import AssetChanges, Forget
from edge.compat.assets.pages.here import SitePlant
from edge.compat.assets.pages.pages import LIST, AssetPages, list_preflight
from edge.compat.thingsnxt.door import Door, bearer, preflight
from edge.parts.assets import AssetsPart
from edge.parts.part import Core, Part
from edge.parts.people import PeoplePart
from edge.parts.things import ThingsPart
from edge.serving.metrics import Sample


class AssetPagesPart(Part):
    """Built by the hub. What is changed here can be changed from the centre, by its people, as well."""

    def __init__(
        self, core: Core, assets: AssetsPart, people: PeoplePart, things: ThingsPart, forget: Forget
    ) -> None:
        self._core, self._people = core, people
        door = Door(core.guard, people.accounts, core.clock, body_s=core.settings.limits.body_s)
        plant = SitePlant(
            registry=core.registry,
            presences=core.presences,
            assets=assets.assets,
            view=assets.views.view,
            bands=assets.bands,
            bus=core.bus,
            zone=core.zone,
            keeper=self._keeper,
        )
        changes = AssetChanges(plant, core.registry, assets.assets, lambda: core.clock.now().at_us, forget).table()
        self.pages = AssetPages(door, people.accounts, people.accounts, plant, core.clock, changes)
        things.also_visited(changes)

    def legacy(self) -> list[web.RouteDef]:
        """The pages' paths, and the browsers' preflights; `device/list` is the payment displays' too."""
        table = self.pages.table()
        listed = WithToken(*LIST, table.pop(LIST), {})
        paths = sorted({path for _, path in table})
        return [
            web.options(LIST[1], list_preflight),
            listed,  # a resource of its own: aiohttp adds a route to the last one, where that has the same path
            *(web.route(method, path, handler) for (method, path), handler in table.items()),
            *(web.options(path, preflight) for path in paths),
        ]

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Telling the pages what happens."""
        return {"asset-pages": self.pages.live.run}

    def samples(self) -> list[Sample]:
        """Pages that listen."""
        return self.pages.live.samples()

    def problems(self) -> list[str]:
        """A setting that names nobody."""
        named = self._core.settings.accounts.loggers_of
        if not named or self._keeper():
            return []
        return [f"The setting accounts.loggers_of names {named[:100]!r}, and there is no such account."]

    async def let_go(self, app: web.Application) -> None:
        """Let every page go, so that none holds up the hub's end."""
        await self.pages.live.stop()

    def _keeper(self) -> str:
        """The account that loggers belong to which nobody has claimed."""
        named = self._core.settings.accounts.loggers_of
        user = self._people.accounts.find(named) if named else None
        return "" if user is None else user.id


class WithToken(web.RouteDef):
    """A route for who shows a person's token; for others the path is looked for among the routes that follow."""

    def register(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:
        """Add it."""
        resource = _Resource(self.path)
        router.register_resource(resource)
        return [resource.add_route(self.method, self.handler)]


class _Resource(PlainResource):
    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo | None, set[str]]:
        if not looks_like_one(bearer(request)):
            return None, set()
        return await super().resolve(request)
