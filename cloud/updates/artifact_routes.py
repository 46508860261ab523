"""/v1/artifacts and /v1/firmware-keys, as at a hub."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from cloud.accounts.member import member, require_all_sites
from cloud.updates.artifacts import Artifacts, Wanted
from cloud.updates.content import Contents
from cloud.updates.trusted import Trusted
from edge.errors import BadInput, Conflict
from edge.serving.downloads import Downloads, send
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.serving.table import attachment
from edge.wire.firmware import SUFFIX
from edge.wire.updates import ArtifactFile, ArtifactView, FirmwareKeyView, NewFirmwareKey

LULL_S = 30.0  # between two pieces of an upload
COMING_MAX = 4  # uploads at once, at one instance
CURSOR_DIGITS = 18


class ArtifactRoutes:
    """The routes of artifacts and trusted keys. `spool`: where uploads lie until they are in the database."""

    def __init__(
        self,
        artifacts: Artifacts,
        trusted: Trusted,
        contents: Contents,
        downloads: Downloads,
        *,
        spool: Path | None,
        artifact_bytes: int,
    ) -> None:
        self._artifacts, self._trusted = artifacts, trusted
        self._contents, self._downloads = contents, downloads
        self._spool, self._most, self._coming = spool, artifact_bytes, 0

    def all(self) -> list[Route]:
        """Every route."""
        see, tech, admin, view = Role.VIEWER, Role.TECHNICIAN, Role.ADMIN, ArtifactView
        every, one, keys = "/v1/artifacts", "/v1/artifacts/{artifact}", "/v1/firmware-keys"
        upload = "Take firmware in: a bundle, or an app image with `target`; the answer says what was checked"
        said, key = ("target", "chip", "version", "notes"), FirmwareKeyView
        asked, theirs = ("target", "kind"), require_all_sites
        held = "All firmware that is held, newest first"
        return [
            Route("GET", every, self.list, held, see, returns=view, many=True, query=asked),
            Route("POST", every, self.add, upload, tech, returns=view, created=True, query=said),
            Route("GET", one, self.one, "One artifact, by its id or the begin of it", see, returns=view),
            Route("DELETE", one, self.remove, "Remove it; not while a rollout needs it", tech, also=theirs),
            Route("GET", one + "/files", self.files, "What it is made of", see, returns=ArtifactFile, many=True),
            Route("GET", one + "/file", self.file, "All of it as one file, or a part by Range", tech),
            Route("GET", keys, self.keys, "Whose signatures are trusted", see, returns=key, many=True),
            Route(
                "POST",
                keys,
                self.trust,
                "Trust a key",
                admin,
                body=NewFirmwareKey,
                returns=key,
                created=True,
                also=theirs,
            ),
            Route("DELETE", keys + "/{key}", self.distrust, "Trust it no more, by id or name", admin, also=theirs),
        ]

    async def list(self, call: Call) -> Answer:
        """GET /v1/artifacts?target=&kind=."""
        views, more = await self._artifacts.page(
            member(call),
            target=call.query("target"),
            kind=call.query("kind"),
            behind=behind_of(call.query("cursor")),
            limit=call.limit(),
        )
        return Page(views, None if more is None else f"{more[0]}.{more[1]}")

    async def add(self, call: Call) -> Answer:
        """POST /v1/artifacts."""
        if not call.request.body_exists:
            raise BadInput("The body is the file itself, and there is none.")
        wanted = Wanted(
            target=call.query("target"),
            chip=call.query("chip"),
            version=call.query("version"),
            notes=call.query("notes"),
        )
        async with self._received(call) as (file, size):
            view, new = await self._artifacts.upload(member(call), file, size, wanted)
        return Created(view) if new else view

    async def one(self, call: Call) -> Answer:
        """GET /v1/artifacts/{artifact}."""
        return await self._artifacts.one(member(call), call.param("artifact"))

    async def remove(self, call: Call) -> Answer:
        """DELETE /v1/artifacts/{artifact}."""
        await self._artifacts.remove(member(call), call.param("artifact"))
        return None

    async def files(self, call: Call) -> Answer:
        """GET /v1/artifacts/{artifact}/files."""
        return Page([*await self._artifacts.files(member(call), call.param("artifact"))])

    async def file(self, call: Call) -> Answer:
        """GET /v1/artifacts/{artifact}/file."""
        content, name, bare = await self._contents.whole(member(call).tenant_id, call.param("artifact"))
        headers = {"Content-Disposition": attachment(name, "bin" if bare else SUFFIX.removeprefix("."))}
        return await send(call.request, content, self._downloads, headers=headers)

    async def keys(self, call: Call) -> Answer:
        """GET /v1/firmware-keys."""
        return Page([*await self._trusted.listed(member(call))])

    async def trust(self, call: Call) -> Answer:
        """POST /v1/firmware-keys."""
        wanted: NewFirmwareKey = call.body
        return Created(await self._trusted.trust(member(call), wanted.name, wanted.pem))

    async def distrust(self, call: Call) -> Answer:
        """DELETE /v1/firmware-keys/{key}."""
        await self._trusted.distrust(member(call), call.param("key"))
        return None

    @contextlib.asynccontextmanager
    async def _received(self, call: Call) -> AsyncIterator[tuple[BinaryIO, int]]:
        """What was sent, on disk until it was dealt with, and its size. Raises TooLarge, BadInput, Conflict."""
        if self._coming >= COMING_MAX:
            raise Conflict(f"{COMING_MAX} uploads are under way.", hint="Wait for one of them to end.")
        self._coming += 1
        try:
            with tempfile.TemporaryFile(dir=self._spool) as file:
                async for piece in call.pieces(self._most, LULL_S):
                    await asyncio.to_thread(file.write, piece)
                size = file.tell()
                yield file, size
        finally:
            self._coming -= 1


def behind_of(cursor: str) -> tuple[int, str] | None:
    """Behind which artifact or rollout a page goes on: when it was made, and its id. Raises BadInput."""
    if not cursor:
        return None
    at, _, of = cursor.partition(".")
    if not at.isdecimal() or len(at) > CURSOR_DIGITS or not of:
        raise BadInput("The cursor is not one that a page gave.", hint="Begin again without a cursor.")
    return int(at), of
