"""/v1/content: how sources stand, what Outpost knows to fetch, and fetching now."""

from __future__ import annotations

from edge.clock import Clock, iso
from edge.content.sources.asking import ask_of
from edge.content.sources.fetching import Refusal
from edge.content.sources.keeper import Keeper
from edge.content.sources.presets import PRESETS
from edge.content.sources.sources import Sources, shown_url
from edge.serving.limits import RateLimit
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.content import PresetView, SourceDocument, SourceView

NOW_PER_MINUTE = 6  # of one source, by whomever
TRIES_PER_MINUTE = 20  # of all together


class SourceRoutes:
    """The routes of this capability."""

    def __init__(self, sources: Sources, keeper: Keeper, clock: Clock) -> None:
        self._sources, self._keeper, self._clock = sources, keeper, clock
        self._now, self._tries = RateLimit(NOW_PER_MINUTE, clock), RateLimit(TRIES_PER_MINUTE, clock)

    def all(self) -> list[Route]:
        """Every route. `try` stands before those that have an id in its place."""
        tech, viewer, view, base = Role.TECHNICIAN, Role.VIEWER, SourceView, "/v1/content"
        once = "Fetch what this document asks for once, and say what comes of it; nothing is kept"
        return [
            Route(
                "GET", f"{base}/source-states", self.every, "How all sources stand", viewer, returns=view, many=True
            ),
            Route(
                "GET", f"{base}/presets", self.presets, "Sources that Outpost knows", viewer, returns=PresetView,
                many=True,
            ),
            Route("POST", f"{base}/sources/try", self.once, once, tech, body=SourceDocument, returns=view),
            Route("POST", f"{base}/sources/{{id}}/fetch", self.now, "Fetch a source now", tech, returns=view),
        ]  # fmt: skip

    async def every(self, call: Call) -> Answer:
        """GET /v1/content/source-states."""
        return Page(self._sources.views())

    async def presets(self, call: Call) -> Answer:
        """GET /v1/content/presets."""
        return Page([preset.view() for preset in PRESETS.values()])

    async def now(self, call: Call) -> Answer:
        """POST /v1/content/sources/{id}/fetch."""
        source_id = call.param("id")
        self._sources.view(source_id)  # there is none: 404, and nothing is counted
        self._now.take(source_id)
        await self._keeper.fetch_now(source_id)
        return self._sources.view(source_id)

    async def once(self, call: Call) -> Answer:
        """POST /v1/content/sources/try."""
        ask = ask_of(call.body)
        self._tries.take("")
        values, problem = {}, ""
        try:
            values = await self._keeper.tried(ask)
        except Refusal as refusal:
            problem = refusal.reason
        return SourceView(
            id="",
            title="",
            url=shown_url(ask.url),
            every_s=ask.every_s,
            values=values,
            at=None if problem else iso(self._clock.now().at_us),
            age_s=None if problem else 0.0,
            problem=problem,
            failures=1 if problem else 0,
            next_at=None,
        )
