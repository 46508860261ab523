"""/sync/v1/artifacts: hubs fetch what they are to offer, each file whole or from where the line was cut."""

from __future__ import annotations

from aiohttp import web

from cloud.blobs.content import Whole
from cloud.db.database import Database
from cloud.sync.door import Door, HubCall
from cloud.updates import artifact_store as sql
from cloud.updates.content import Contents
from edge.errors import NotFound
from edge.serving.downloads import Downloads, send


class HubPaths:
    """What hubs may fetch: the artifacts of their tenant."""

    def __init__(self, database: Database, contents: Contents, downloads: Downloads) -> None:
        self._db, self._contents, self._downloads = database, contents, downloads

    def paths(self, door: Door) -> list[web.RouteDef]:
        """The three of them."""
        one = "/sync/v1/artifacts/{artifact}"
        return [
            web.get(one + "/manifest", door.opens_for_files(self.manifest)),
            web.get(one + "/signatures", door.opens_for_files(self.signatures)),
            web.get(one + "/files/{sha256}", door.opens_for_files(self.file)),
        ]

    async def manifest(self, call: HubCall) -> web.StreamResponse:
        """GET /sync/v1/artifacts/{artifact}/manifest."""
        return await self._column(call, "manifest")

    async def signatures(self, call: HubCall) -> web.StreamResponse:
        """GET /sync/v1/artifacts/{artifact}/signatures."""
        return await self._column(call, "signatures")

    async def file(self, call: HubCall) -> web.StreamResponse:
        """GET /sync/v1/artifacts/{artifact}/files/{sha256}, also a part of it by Range."""
        content = await self._contents.file(call.site.tenant_id, _hash(call, "artifact"), _hash(call, "sha256"))
        return await send(call.request, content, self._downloads)

    async def _column(self, call: HubCall, name: str) -> web.StreamResponse:
        artifact = _hash(call, "artifact")
        async with self._db.read() as connection:
            row = await sql.one(connection, call.site.tenant_id, artifact)
        if row is None:
            raise NotFound("Head office has this firmware no more.")
        data = bytes(row[name])
        return await send(call.request, Whole(data, f"{artifact}-{name}-{len(data)}"), self._downloads)


def _hash(call: HubCall, name: str) -> str:
    """A hash out of the path. Raises NotFound for what is none: no database looks up a NUL."""
    found = call.request.match_info[name]
    if not found.isalnum():
        raise NotFound("Head office has no such firmware.")
    return found
