"""Sources beside documents: which are published, when they are asked, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

import msgspec

from edge import __version__
from edge.bus import Event, Missed
from edge.content.documents.documents import Documents
from edge.content.documents.events import DocumentPublished
from edge.content.sources.asking import notes_of
from edge.content.sources.fetching import Fetcher
from edge.content.sources.keeper import Keeper
from edge.content.sources.routes import SourceRoutes
from edge.content.sources.sources import Defined, SourceChanged, Sources
from edge.errors import NotFound
from edge.outbound import Outbound, networks
from edge.parts.part import Core, Part
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.wire.content import DocumentKind, SourceDocument
from edge.wire.views import LiveEvent


class ContentSources(Part):
    """Built by ContentPart, which hands on what the hub asks of it. `sources` is what panels read."""

    def __init__(self, core: Core, documents: Documents) -> None:
        self._core, self._documents = core, documents
        self.sources = Sources(core.store.hub, core.bus, core.clock, self._published)
        fetcher = Fetcher(
            Outbound(networks(core.settings.content.fetch_allow, "content.fetch_allow")),
            user_agent=f"Outpost/{__version__}",
            now_s=lambda: core.clock.now().at_us / 1e6,
        )
        self.keeper = Keeper(self.sources, fetcher, core.clock, core.zone)
        documents.check_with(notes_of, DocumentKind.SOURCE)

    def routes(self) -> list[Route]:
        """How sources stand, presets, fetching now."""
        return SourceRoutes(self.sources, self.keeper, self._core.clock).all()

    async def start(self) -> None:
        """Load what they said before; documents are loaded."""
        await self.sources.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Asking them, and following what is published."""
        return {"sources": self.keeper.run, "source-documents": self._follow}

    def samples(self) -> list[Sample]:
        """Fetches by what came of them, and how old the oldest answer is."""
        keeper, asks = self.keeper, self.sources.asks()
        ages = [age_s for source_id in asks if (age_s := self.sources.age_s(source_id)) is not None]
        failing = sum(1 for one in asks if (kept := self.sources.kept(one)) is not None and kept.problem)
        fetches = {
            '{outcome="new"}': float(keeper.fetched - keeper.unchanged),
            '{outcome="unchanged"}': float(keeper.unchanged),
            '{outcome="failed"}': float(keeper.failed),
        }
        oldest = {"": max(ages)} if ages else {}
        return [
            Sample("source_fetches_total", "counter", "Fetches for panels, by outcome.", fetches),
            Sample("sources_failing", "gauge", "Sources whose last fetch failed.", {"": float(failing)}),
            Sample("source_oldest_seconds", "gauge", "Age of the oldest last good answer.", oldest),
        ]

    def problems(self) -> list[str]:
        """Those that have been silent for more than a day."""
        return self.sources.problems()

    async def translate(self, event: Event) -> LiveEvent | None:
        """A source as it stands now."""
        if not isinstance(event, SourceChanged):
            return None
        try:
            view = self.sources.view(event.source_id)
        except NotFound:
            return LiveEvent(topic="content", data={"kind": "source-state", "id": event.source_id, "removed": True})
        return LiveEvent(topic="content", data={"kind": "source-state", **msgspec.to_builtins(view)})

    def _published(self) -> dict[str, Defined]:
        return {
            source_id: Defined(self._documents.title(DocumentKind.SOURCE, source_id), body)
            for source_id, (body, _) in self._documents.all_published(DocumentKind.SOURCE).items()
            if isinstance(body, SourceDocument)
        }

    async def _follow(self) -> None:
        """Read the documents anew when a source is published or gone; runs until cancelled."""
        subscription = self._core.bus.subscribe(only=(DocumentPublished,))
        try:
            await self.keeper.changed()  # what was published before this listened
            async for event in subscription:
                if isinstance(event, Missed) or (
                    isinstance(event, DocumentPublished) and event.kind is DocumentKind.SOURCE
                ):
                    await self.keeper.changed()
        finally:
            subscription.close()
