"""/v1/artifacts and /v1/firmware-keys."""

from __future__ import annotations

from edge.clock import iso
from edge.errors import BadInput
from edge.serving.bodies import pieces
from edge.serving.downloads import Downloads, send
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.serving.table import attachment
from edge.updates.artifacts.artifacts import Artifacts, Offered
from edge.updates.artifacts.keys import TrustedKeys
from edge.updates.artifacts.model import Artifact, TrustedKey
from edge.wire.firmware import SUFFIX
from edge.wire.updates import ArtifactFile, ArtifactView, FirmwareKeyView, NewFirmwareKey

LULL_S = 30.0  # between two pieces of an upload; the line of a site may be a telephone's


class ArtifactRoutes:
    """The routes of this capability."""

    def __init__(self, artifacts: Artifacts, keys: TrustedKeys, downloads: Downloads) -> None:
        self._artifacts, self._keys, self._downloads = artifacts, keys, downloads

    def all(self) -> list[Route]:
        """Every route."""
        see, tech, admin, view = Role.VIEWER, Role.TECHNICIAN, Role.ADMIN, ArtifactView
        every, one, keys = "/v1/artifacts", "/v1/artifacts/{artifact}", "/v1/firmware-keys"
        upload = "Take firmware in: a bundle, or an app image with `target`; the answer says what was checked"
        said, key = ("target", "chip", "version", "notes"), FirmwareKeyView
        return [
            Route("GET", every, self.list, "All firmware that is held, newest first", see, returns=view, many=True),
            Route("POST", every, self.add, upload, tech, returns=view, created=True, query=said),
            Route("GET", one, self.one, "One artifact, by its id or the begin of it", see, returns=view),
            Route("DELETE", one, self.remove, "Remove it; not while a rollout needs it", tech),
            Route("GET", one + "/files", self.files, "What it is made of", see, returns=ArtifactFile, many=True),
            Route("GET", one + "/file", self.file, "All of it as one file, or a part by Range", tech),
            Route("GET", keys, self.keys, "Whose signatures are trusted", see, returns=key, many=True),
            Route("POST", keys, self.trust, "Trust a key", admin, body=NewFirmwareKey, returns=key, created=True),
            Route("DELETE", keys + "/{key}", self.distrust, "Trust it no more, by id or name", admin),
        ]

    async def list(self, call: Call) -> Answer:
        """GET /v1/artifacts."""
        return Page([self.view(one) for one in self._artifacts.all()])

    async def add(self, call: Call) -> Answer:
        """POST /v1/artifacts."""
        if not call.request.body_exists:
            raise BadInput("The body is the file itself, and there is none.")
        offered = Offered(
            pieces(call.request, self._artifacts.largest, LULL_S),
            target=call.query("target"),
            chip=call.query("chip"),
            version=call.query("version"),
            notes=call.query("notes"),
        )
        artifact, new = await self._artifacts.add(offered, actor=call.actor)
        view = self.view(artifact)
        return Created(view) if new else view

    async def one(self, call: Call) -> Answer:
        """GET /v1/artifacts/{artifact}."""
        return self.view(self._artifacts.get(call.param("artifact")))

    async def remove(self, call: Call) -> Answer:
        """DELETE /v1/artifacts/{artifact}."""
        await self._artifacts.remove(call.param("artifact"), actor=call.actor)
        return None

    async def files(self, call: Call) -> Answer:
        """GET /v1/artifacts/{artifact}/files."""
        found = self._artifacts.get(call.param("artifact"))
        return Page([ArtifactFile(path=one.path, size=one.size, sha256=one.sha256) for one in found.files])

    async def file(self, call: Call) -> Answer:
        """GET /v1/artifacts/{artifact}/file."""
        found = self._artifacts.get(call.param("artifact"))
        name = f"{found.target}-{found.version}"
        ending = "bin" if found.legacy_only else SUFFIX.removeprefix(".")
        headers = {"Content-Disposition": attachment(name, ending)}
        return await send(call.request, await self._artifacts.whole(found.id), self._downloads, headers=headers)

    async def keys(self, call: Call) -> Answer:
        """GET /v1/firmware-keys."""
        return Page([_key(one) for one in self._keys.all()])

    async def trust(self, call: Call) -> Answer:
        """POST /v1/firmware-keys."""
        wanted: NewFirmwareKey = call.body
        return Created(_key(await self._keys.add(wanted.name, wanted.pem, actor=call.actor)))

    async def distrust(self, call: Call) -> Answer:
        """DELETE /v1/firmware-keys/{key}."""
        await self._keys.remove(call.param("key"), actor=call.actor)
        return None

    def view(self, artifact: Artifact) -> ArtifactView:
        """One artifact as the API shows it."""
        return ArtifactView(
            id=artifact.id,
            kind=artifact.kind,
            target=artifact.target,
            chip=artifact.chip,
            version=artifact.version,
            security=artifact.security,
            size=artifact.size,
            files=len(artifact.files),
            sha256=artifact.sha256,
            md5=artifact.md5,
            signed_by=[self._keys.name_of(one) for one in artifact.signers if self._keys.has(one)],
            legacy_only=artifact.legacy_only,
            notes=artifact.notes,
            checks=list(artifact.checks),
            created_at=iso(artifact.created_us),
            created_by=artifact.created_by,
            used_by=self._artifacts.used_by(artifact),
        )


def _key(key: TrustedKey) -> FirmwareKeyView:
    return FirmwareKeyView(id=key.id, name=key.name, created_at=iso(key.created_us), created_by=key.created_by)
