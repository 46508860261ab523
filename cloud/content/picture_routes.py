"""/v1/content/pictures, as at a hub; and what hubs fetch of them."""

from __future__ import annotations

from aiohttp import hdrs, web

from cloud.accounts.member import member, require_all_sites
from cloud.content.pictures import Pictures
from cloud.sync.door import Door, HubCall
from edge.errors import BadInput, Busy, NotFound
from edge.serving.downloads import Downloads, Span, headers_of, send
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.content import PICTURE_BYTES, PictureView

COMING_MAX = 4  # uploads at once at one instance: they are in memory
LULL_S = 30.0  # between two pieces of an upload
THUMB_PX, THUMB_MIN_PX, THUMB_MAX_PX = 320, 16, 800
CURSOR_DIGITS = 18


class PictureRoutes:
    """The routes of pictures."""

    def __init__(self, pictures: Pictures, downloads: Downloads) -> None:
        self._pictures, self._downloads, self._coming = pictures, downloads, 0

    def all(self) -> list[Route]:
        """Every route."""
        see, tech, view = Role.VIEWER, Role.TECHNICIAN, PictureView
        every, one = "/v1/content/pictures", "/v1/content/pictures/{picture}"
        upload = "Keep a picture: the body is the file; the answer says what was done to it"
        small, gone = (
            "A small PNG of it, `w` pixels wide and high at most",
            "Remove it; not while a document shows it",
        )
        return [
            Route("GET", every, self.list, "All pictures, newest first", see, returns=view, many=True),
            Route("POST", every, self.add, upload, tech, returns=view, created=True, query=("name",)),
            Route("GET", one, self.one, "One picture", see, returns=view),
            Route("DELETE", one, self.remove, gone, tech, also=require_all_sites),
            Route("GET", one + "/file", self.file, "The picture itself, as it is kept", see),
            Route("GET", one + "/thumb.png", self.thumb, small, see, query=("w",)),
        ]

    def paths(self, door: Door) -> list[web.RouteDef]:
        """What hubs fetch."""
        return [web.get("/sync/v1/pictures/{sha256}", door.opens_for_files(self.fetched))]

    async def list(self, call: Call) -> Answer:
        """GET /v1/content/pictures."""
        views, more = await self._pictures.page(
            member(call), behind=_behind(call.query("cursor")), limit=call.limit()
        )
        return Page([*views], None if more is None else f"{more[0]}.{more[1]}")

    async def add(self, call: Call) -> Answer:
        """POST /v1/content/pictures?name=."""
        if not call.request.body_exists:
            raise BadInput("The body is the picture's file itself, and there is none.")
        if self._coming >= COMING_MAX:
            raise Busy(f"{COMING_MAX} pictures are being uploaded.", hint="Send it again in a moment.")
        self._coming += 1
        try:
            data = bytearray()
            async for piece in call.pieces(PICTURE_BYTES, LULL_S):
                data += piece
            view, new = await self._pictures.upload(member(call), bytes(data), call.query("name"))
            return Created(view) if new else view
        finally:
            self._coming -= 1

    async def one(self, call: Call) -> Answer:
        """GET /v1/content/pictures/{picture}."""
        return await self._pictures.one(member(call), call.param("picture"))

    async def remove(self, call: Call) -> Answer:
        """DELETE /v1/content/pictures/{picture}."""
        await self._pictures.remove(member(call), call.param("picture"))
        return None

    async def file(self, call: Call) -> Answer:
        """GET /v1/content/pictures/{picture}/file."""
        content = await self._pictures.content(member(call).tenant_id, call.param("picture"))
        kind = _kind(await content.read(0, 4))
        return await send(call.request, content, self._downloads, content_type=kind)

    async def thumb(self, call: Call) -> Answer:
        """GET /v1/content/pictures/{picture}/thumb.png?w=."""
        width = call.number("w") or THUMB_PX
        if not THUMB_MIN_PX <= width <= THUMB_MAX_PX:
            raise BadInput(f"w is from {THUMB_MIN_PX} to {THUMB_MAX_PX} pixels.")
        picture = call.param("picture")
        etag = f"{picture}-{width}"
        await self._pictures.content(member(call).tenant_id, picture)  # it is there, and his
        if f'"{etag}"' in call.request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return web.Response(status=304, headers=headers_of(Span(0, 0, False), 0, etag))
        data = await self._pictures.thumb(member(call).tenant_id, picture, width)
        headers = headers_of(Span(0, len(data), False), len(data), etag)
        del headers[hdrs.ACCEPT_RANGES]  # they are small, and handed out whole
        return web.Response(body=data, headers=headers, content_type="image/png")

    async def fetched(self, call: HubCall) -> web.StreamResponse:
        """GET /sync/v1/pictures/{sha256}, also a part of it by Range: pictures of the hub's tenant."""
        picture = call.request.match_info["sha256"]
        if not picture.isalnum():
            raise NotFound("Head office has no such picture.")
        content = await self._pictures.content(call.site.tenant_id, picture)
        return await send(call.request, content, self._downloads)


def _kind(begin: bytes) -> str:
    return "image/png" if begin.startswith(b"\x89PNG") else "image/jpeg"


def _behind(cursor: str) -> tuple[int, str] | None:
    """Behind which picture a page goes on. Raises BadInput."""
    if not cursor:
        return None
    at, _, of = cursor.partition(".")
    if not (at.isascii() and at.isdecimal()) or len(at) > CURSOR_DIGITS or not of:
        raise BadInput("The cursor is not one that a page gave.", hint="Begin again without a cursor.")
    return int(at), of
