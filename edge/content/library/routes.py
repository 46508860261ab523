"""/v1/content/pictures: what people upload to be shown."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web

from edge.content.library.library import Library
from edge.content.library.pixels import thumbnail
from edge.errors import BadInput, Busy
from edge.serving.downloads import Span, headers_of
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.content import PICTURE_BYTES, PictureView

COMING_MAX = 4  # uploads at once: they are in memory, 8 MB each at most
LULL_S = 30.0  # between two pieces of an upload; the line of a site may be a telephone's
THUMB_PX, THUMB_MIN_PX, THUMB_MAX_PX = 320, 16, 800


class PictureRoutes:
    """The routes of this capability."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._coming = 0

    def all(self) -> list[Route]:
        """Every route."""
        see, tech, view = Role.VIEWER, Role.TECHNICIAN, PictureView
        every, one = "/v1/content/pictures", "/v1/content/pictures/{picture}"
        upload = "Keep a picture: the body is the file; the answer says what was done to it"
        small = "A small PNG of it, `w` pixels wide and high at most"
        return [
            Route("GET", every, self.list, "All pictures, newest first", see, returns=view, many=True),
            Route("POST", every, self.add, upload, tech, returns=view, created=True, query=("name",)),
            Route("GET", one, self.one, "One picture, by its id or the begin of it", see, returns=view),
            Route("DELETE", one, self.remove, "Remove it; not while a published document names it", tech),
            Route("GET", one + "/file", self.file, "The picture itself, as it is kept", see),
            Route("GET", one + "/thumb.png", self.thumb, small, see, query=("w",)),
        ]

    async def list(self, call: Call) -> Answer:
        """GET /v1/content/pictures."""
        limit, cursor = call.limit(), call.cursor()
        found = [one for one in self._library.all() if cursor is None or one.number < cursor]
        more = str(found[limit - 1].number) if len(found) > limit else None
        return Page([self._library.view(one) for one in found[:limit]], more)

    async def add(self, call: Call) -> Answer:
        """POST /v1/content/pictures."""
        if not call.request.body_exists:
            raise BadInput("The body is the picture's file itself, and there is none.")
        if self._coming >= COMING_MAX:
            raise Busy(f"{COMING_MAX} pictures are being uploaded.", hint="Send it again in a moment.")
        self._coming += 1
        try:
            data = bytearray()
            async for piece in call.pieces(PICTURE_BYTES, LULL_S):
                data += piece
            return Created(await self._library.take(bytes(data), call.query("name"), actor=call.actor))
        finally:
            self._coming -= 1

    async def one(self, call: Call) -> Answer:
        """GET /v1/content/pictures/{picture}."""
        return self._library.view(self._library.get(call.param("picture")))

    async def remove(self, call: Call) -> Answer:
        """DELETE /v1/content/pictures/{picture}."""
        await self._library.remove(call.param("picture"), actor=call.actor)
        return None

    async def file(self, call: Call) -> Answer:
        """GET /v1/content/pictures/{picture}/file."""
        found = self._library.get(call.param("picture"))
        if known := _known(call.request, found.sha256):
            return known
        data = await asyncio.to_thread(self._library.read, found.sha256)
        return _immutable(data, found.sha256, found.content_type)

    async def thumb(self, call: Call) -> Answer:
        """GET /v1/content/pictures/{picture}/thumb.png."""
        width = call.number("w") or THUMB_PX
        if not THUMB_MIN_PX <= width <= THUMB_MAX_PX:
            raise BadInput(f"w is from {THUMB_MIN_PX} to {THUMB_MAX_PX} pixels.")
        found = self._library.get(call.param("picture"))
        etag = f"{found.sha256}-{width}"
        if known := _known(call.request, etag):
            return known

        def small() -> bytes:
            return thumbnail(self._library.read(found.sha256), width)

        return _immutable(await asyncio.to_thread(small), etag, "image/png")


def _known(request: web.Request, etag: str) -> web.Response | None:
    """The answer to who has it already."""
    if f'"{etag}"' not in request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return None
    return web.Response(status=304, headers=headers_of(Span(0, 0, False), 0, etag))


def _immutable(data: bytes, etag: str, content_type: str) -> web.Response:
    """What never changes under this address."""
    headers = headers_of(Span(0, len(data), False), len(data), etag)
    del headers[hdrs.ACCEPT_RANGES]  # they are small, and handed out whole
    return web.Response(body=data, headers=headers, content_type=content_type)
