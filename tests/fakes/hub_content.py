"""What a fake hub answers about panels and documents: views in dictionaries, pictures as a test draws them."""

from __future__ import annotations

import io

import msgspec
from aiohttp import web
from PIL import Image

from edge.errors import NotFound
from edge.wire.content import DocumentBody, DocumentView, PanelView, VersionView
from tests.fakes.hub_answers import listed, shown


class FakeContent:
    """Everything by id. `there` false: an older hub."""

    def __init__(self) -> None:
        self.there = True
        self.panels: dict[str, PanelView] = {}
        self.pictures: dict[str, Image.Image] = {}  # by device
        self.documents: dict[str, DocumentView] = {}  # by kind and id, as in the path
        self.versions: list[VersionView] = []

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.get("/v1/content", self._documents),
            web.get("/v1/content/panels", self._panels),
            web.get("/v1/content/panels/{id}/picture.png", self._picture),
            web.get("/v1/content/{kind}/{id}/versions", self._versions),
            web.post("/v1/content/{kind}/{id}/publish", self._publish),
        ]

    def _check(self) -> None:
        if not self.there:
            raise NotFound("there is nothing at this address")

    async def _panels(self, _: web.Request) -> web.Response:
        self._check()
        return listed(self.panels.values())

    async def _documents(self, _: web.Request) -> web.Response:
        self._check()
        return listed(self.documents.values())

    async def _picture(self, request: web.Request) -> web.Response:
        drawing = self.pictures.get(request.match_info["id"])
        if drawing is None:
            raise NotFound("there is no such picture")
        width, height = int(request.query["w"]), int(request.query["h"])
        scale = min(width / drawing.width, height / drawing.height, 1)
        size = (max(1, int(drawing.width * scale)), max(1, int(drawing.height * scale)))
        file = io.BytesIO()
        drawing.resize(size, Image.Resampling.BOX).save(file, "PNG")
        return web.Response(body=file.getvalue(), content_type="image/png")

    async def _versions(self, _: web.Request) -> web.Response:
        return listed(self.versions)

    async def _publish(self, request: web.Request) -> web.Response:
        asked, key = await request.json(), f"{request.match_info['kind']}/{request.match_info['id']}"
        view = self.documents[key]
        made = msgspec.structs.replace(
            view, version=view.version + 1, draft=bool(asked["version"]) and view.draft, conflict=0
        )
        self.documents[key] = made
        return shown(DocumentBody(**msgspec.structs.asdict(made), body=None, published=None))
