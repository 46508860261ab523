"""What sites show, as their hubs told it: /v1/content/panels and the documents that sites have published; and how a
layout would look there."""

from __future__ import annotations

from typing import Any

from cloud.accounts.member import member
from cloud.content import seen, site_store
from cloud.content.checking import Checking
from cloud.content.keeping import kind_of
from cloud.db.database import Database
from cloud.fleet.cursor import behind_of, cursor_of
from cloud.fleet.lookup import Found, find_device, find_site
from cloud.fleet.views import readable
from edge.clock import Clock
from edge.content.render import PANELS, Panel
from edge.content.sources.presets import PRESETS
from edge.errors import NotFound
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.centre_content import CheckAtSite, DocumentSeen, SiteDocument, SiteDocumentBody, SitePanel
from edge.wire.content import CheckedLayout, PanelKindView, PresetView

SITE = ("site",)


class SiteContentRoutes:
    """The routes."""

    def __init__(self, database: Database, clock: Clock, checking: Checking) -> None:
        self._db, self._clock, self._checking = database, clock, checking

    def all(self) -> list[Route]:
        """Every route."""
        see, panels, documents = Role.VIEWER, "/v1/content/panels", "/v1/content/site-documents"
        every = "Every panel: what it should show, and what it shows by what evidence"
        published = "What sites have published, as their hubs told it; `kind`: of one kind"
        one = "One of them, with what is in it"
        document, body, panel, asked = SiteDocument, SiteDocumentBody, SitePanel, ("site", "kind")
        check = "How a layout looks on a panel with what a site would show now; nothing is kept"
        kinds, kind, checks = "Panels that Outpost can draw for", PanelKindView, "/v1/content/check"
        tech, wanted, checked = Role.TECHNICIAN, CheckAtSite, CheckedLayout
        presets = "Sources that Outpost knows, and what each must be told"
        return [
            Route("GET", "/v1/content/panel-kinds", self.kinds, kinds, see, returns=kind, many=True),
            Route("GET", "/v1/content/presets", self.presets, presets, see, returns=PresetView, many=True),
            Route("POST", checks, self.check, check, tech, body=wanted, returns=checked),
            Route("GET", panels, self.panels, every, see, returns=panel, many=True, query=SITE),
            Route("GET", panels + "/{device}", self.panel, "One device's panel", see, returns=panel, query=SITE),
            Route("GET", documents, self.documents, published, see, returns=document, many=True, query=asked),
            Route("GET", documents + "/{site}/{kind}/{id}", self.document, one, see, returns=body),
        ]

    async def kinds(self, call: Call) -> Answer:
        """GET /v1/content/panel-kinds."""
        return Page([_kind_view(panel) for panel in PANELS.values()])

    async def presets(self, call: Call) -> Answer:
        """GET /v1/content/presets."""
        return Page([preset.view() for preset in PRESETS.values()])

    async def check(self, call: Call) -> Answer:
        """POST /v1/content/check."""
        return await self._checking.check(member(call), call.body)

    async def panels(self, call: Call) -> Answer:
        """GET /v1/content/panels?site=. A page may have fewer than the limit."""
        caller, site = member(call), call.query("site")
        async with self._db.read() as connection:
            if site:
                await find_site(connection, caller, site)
            rows, more = await seen.panels(
                connection, caller, site=site, behind=behind_of(call.query("cursor")), limit=call.limit()
            )
        views = readable(seen.panel_view, rows, self._clock.now().at_us)
        return Page(views, cursor_of(rows[-1]) if more and rows else None)

    async def panel(self, call: Call) -> Answer:
        """GET /v1/content/panels/{device}?site=."""
        caller = member(call)
        async with self._db.read() as connection:
            device = await find_device(connection, caller, call.param("device"), call.query("site"))
            rows, _ = await seen.panels(connection, caller, site=device.place.slug, device=device.id, limit=1)
        if not rows:
            raise NotFound(f"{device.id} has no panel that its hub tells of.")
        return seen.panel_view(rows[0], self._clock.now().at_us)

    async def documents(self, call: Call) -> Answer:
        """GET /v1/content/site-documents?site=&kind=."""
        caller, site, kind = member(call), call.query("site"), call.query("kind")
        wanted = kind_of(kind) if kind else None
        async with self._db.read() as connection:
            if site:
                await find_site(connection, caller, site)
            told = await seen.published(connection, caller, site=site)
            ours = await site_store.sent(connection, caller)
        told = [pair for pair in told if wanted is None or pair[1].kind is wanted]
        told.sort(key=lambda pair: (pair[0].place.slug, pair[1].kind.value, pair[1].id))
        begin, limit = call.cursor() or 0, call.limit()
        now_us, page = self._clock.now().at_us, told[begin : begin + limit]
        more = str(begin + limit) if begin + limit < len(told) else None
        return Page([SiteDocument(**_fields(at, one, ours, now_us)) for at, one in page], more)

    async def document(self, call: Call) -> Answer:
        """GET /v1/content/site-documents/{site}/{kind}/{id}."""
        caller, key = member(call), (kind_of(call.param("kind")).value, call.param("id"))
        async with self._db.read() as connection:
            place = await find_site(connection, caller, call.param("site"))
            told = await seen.published(connection, caller, site=place.slug, key=key)
            ours = await site_store.sent(connection, caller)
        if not told:
            raise NotFound(f"Nothing of {key[0]} {key[1][:64]!r} is published at {place.slug}.")
        at, one = told[0]
        return SiteDocumentBody(**_fields(at, one, ours, self._clock.now().at_us), published=one.published)


def _fields(at: Found, one: DocumentSeen, ours: site_store.Sent, now_us: int) -> dict[str, Any]:
    """The fields of a SiteDocument."""
    about = {name: getattr(one, name) for name in DocumentSeen.__struct_fields__ if name != "published"}
    sent = ours.get((at.place.site_id, one.kind.value, one.id), "")
    where = {"site": at.place.slug, "as_of": at.as_of(), "stale": at.place.stale(now_us)}
    return {**about, **where, "ours": bool(sent) and sent == one.hash}


def _kind_view(panel: Panel) -> PanelKindView:
    return PanelKindView(
        name=panel.name,
        title=panel.title or panel.name,
        width=panel.width,
        height=panel.height,
        format=panel.format.value,
        shades=panel.shades,
    )
