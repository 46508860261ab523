"""/v1/content of documents: layouts, playlists, schedules and sources.

A document's ETag is its revision, in quotes; `If-Match` with it says the same as `revision` in the body.
"""

from __future__ import annotations

import re

import msgspec
from aiohttp import hdrs, web

from edge.content.documents.documents import Documents
from edge.content.documents.store import Kept
from edge.content.documents.views import DocumentViews
from edge.errors import BadInput, NotFound
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.content import (
    DocumentBody,
    DocumentKind,
    DocumentView,
    Publish,
    SaveDraft,
    VersionBody,
    VersionView,
)

PLURALS = {f"{kind.value}s": kind for kind in DocumentKind}
_ETAG = re.compile(r'(?:W/)?"(\d{1,18})"')

_encode = msgspec.json.Encoder().encode


class DocumentRoutes:
    """The routes."""

    def __init__(self, documents: Documents, views: DocumentViews) -> None:
        self._documents, self._views = documents, views

    def all(self) -> list[Route]:
        """Every route."""
        viewer, tech, view = Role.VIEWER, Role.TECHNICIAN, DocumentBody
        every, one = "/v1/content", "/v1/content/{kind}/{id}"
        versions, version = one + "/versions", VersionView
        listing = "Layouts, playlists, schedules and sources; `kind`: of one kind"
        save = "Save the draft over the revision that was read; 409 when somebody else was there before"
        publish = "Let panels show the draft, or an earlier version, from now on"
        return [
            Route("GET", every, self.every, listing, viewer, returns=DocumentView, many=True, query=("kind",)),
            Route("GET", one, self.one, "A document: its draft, and what is published", viewer, returns=view),
            Route("PUT", one, self.save, save, tech, body=SaveDraft, returns=view),
            Route("DELETE", one, self.remove, "Remove it, while nothing published names it", tech),
            Route("POST", one + "/publish", self.publish, publish, tech, body=Publish, returns=view),
            Route("GET", versions, self.versions, "Its versions, newest first", viewer, returns=version, many=True),
            Route("GET", versions + "/{version}", self.version, "One version", viewer, returns=VersionBody),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/content?kind=."""
        kind = call.query("kind")
        found = self._documents.all()
        if kind:
            found = [one for one in found if one.kind is _kind(kind)]
        begin, limit = call.cursor() or 0, call.limit()
        page = found[begin : begin + limit]
        more = str(begin + limit) if begin + limit < len(found) else None
        return Page([self._views.view(one) for one in page], more)

    async def one(self, call: Call) -> Answer:
        """GET /v1/content/{kind}/{id}."""
        return await self._answer(self._kept(call))

    async def save(self, call: Call) -> Answer:
        """PUT /v1/content/{kind}/{id}."""
        wanted: SaveDraft = call.body
        seen = _seen(call)
        revision = wanted.revision if seen is None else seen
        kind, document_id = _kind_in(call), call.param("id")
        kept = await self._documents.save(kind, document_id, wanted.body, revision, wanted.title, actor=call.actor)
        return await self._answer(kept)

    async def remove(self, call: Call) -> Answer:
        """DELETE /v1/content/{kind}/{id}."""
        kind, document_id = _kind_in(call), call.param("id")
        await self._documents.remove(kind, document_id, revision=_seen(call), actor=call.actor)
        return None

    async def publish(self, call: Call) -> Answer:
        """POST /v1/content/{kind}/{id}/publish."""
        wanted: Publish = call.body
        seen = _seen(call)
        revision = wanted.revision if seen is None or wanted.version else seen
        kept = await self._documents.publish(
            _kind_in(call),
            call.param("id"),
            revision=revision,
            version=wanted.version,
            note=wanted.note,
            actor=call.actor,
        )
        return await self._answer(kept)

    async def versions(self, call: Call) -> Answer:
        """GET /v1/content/{kind}/{id}/versions."""
        kept, limit = self._kept(call), call.limit()
        found = await self._documents.versions(kept, call.cursor(), limit)
        more = str(found[-1].version) if len(found) == limit else None
        return Page([self._views.version(kept, one) for one in found], more)

    async def version(self, call: Call) -> Answer:
        """GET /v1/content/{kind}/{id}/versions/{version}."""
        kept, text = self._kept(call), call.param("version")
        if not text.isdecimal() or len(text) > 9:
            raise NotFound(f"There is no version {text[:20]!r}: versions are numbers.")
        return self._views.version_body(kept, await self._documents.version(kept, int(text)))

    def _kept(self, call: Call) -> Kept:
        return self._documents.get(_kind_in(call), call.param("id"))

    async def _answer(self, kept: Kept) -> web.Response:
        headers = {hdrs.CONTENT_TYPE: "application/json", hdrs.ETAG: f'"{kept.standing.revision}"'}
        return web.Response(body=_encode(await self._views.body(kept)), headers=headers)


def _kind(text: str) -> DocumentKind:
    """`layouts` or `layout`. Raises BadInput."""
    kind = PLURALS.get(text) or PLURALS.get(f"{text}s")
    if kind is None:
        raise BadInput(f"There is no kind {text[:40]!r} of documents; known: {', '.join(PLURALS)}.")
    return kind


def _kind_in(call: Call) -> DocumentKind:
    """Of the path. Raises NotFound."""
    try:
        return _kind(call.param("kind"))
    except BadInput as error:
        raise NotFound(error.detail) from error


def _seen(call: Call) -> int | None:
    """The revision that `If-Match` names; None where it is not sent, or is `*`. Raises BadInput."""
    text = call.request.headers.get(hdrs.IF_MATCH, "").strip()
    if text in ("", "*"):
        return None
    found = _ETAG.fullmatch(text)
    if found is None:
        raise BadInput("If-Match is one ETag as an earlier answer gave it.")
    return int(found[1])
