"""What was fetched from head office goes onto the hub's shelf by the very door that people's uploads take: all of
it is looked at again there, and kept only if this hub would keep it from anybody."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec

from edge.errors import Rejected, StorageDamaged, StorageError
from edge.updates.artifacts.artifacts import Artifacts, Offered
from edge.updates.artifacts.keys import TrustedKeys
from edge.updates.signing.bundle_content import BundleContent, Bytes
from edge.updates.signing.signatures import signers
from edge.wire.firmware import IMAGE, BadManifest, File, Kind, Manifest, read_manifest, read_signatures

PIECE_BYTES = 64 * 1024


class HubShelf:
    """The hub's artifacts. See edge/sync/artifacts.py, Shelf. `unsigned`: whether head office may bring images for
    older devices, which nobody signs (sync.unsigned_firmware)."""

    def __init__(self, artifacts: Artifacts, keys: TrustedKeys, *, unsigned: bool) -> None:
        self._artifacts, self._keys, self._unsigned = artifacts, keys, unsigned

    def has(self, artifact: str) -> bool:
        """Whether all of it is here."""
        found = self._artifacts.find(artifact)
        return found is not None and found.id == artifact

    async def lacking(self, manifest: bytes, signatures: bytes) -> tuple[Manifest, list[File]]:
        """What it says, and those of its files that are not here. Raises Rejected."""
        try:
            read, signed = read_manifest(manifest), read_signatures(signatures)
        except BadManifest as error:
            raise Rejected(f"Head office has firmware that this version cannot read: {error}.") from error
        if not signed and read.kind is not Kind.ESP_IMAGE:
            raise Rejected("Head office has an app that nobody signed.")
        if not signed and not self._unsigned:
            raise Rejected(
                "This hub takes no unsigned firmware from head office.",
                hint="Whoever answers for the site may allow it: sync.unsigned_firmware in outpost.toml.",
            )
        trusted = [one.key for one in self._keys.trusted()]
        if signed and not signers(manifest, signed, trusted):
            by = ", ".join(one.key for one in signed)
            raise Rejected(
                f"The firmware is signed by {by}, and no such key is trusted at this hub.",
                hint="`outpost firmware trust add NAME KEY.pub` at the hub.",
            )
        if read.size > self._artifacts.largest:
            raise Rejected(f"The firmware has {read.size} bytes; this hub takes {self._artifacts.largest}.")
        held = await self._held(read)
        return read, [file for file in read.files if file.sha256 not in held]

    def require_room(self, count: int) -> None:
        """Raise Rejected for more bytes than all firmware may take, StorageFull while the disk has no room."""
        self._artifacts.require_room_for(count)

    async def put(self, manifest: bytes, signatures: bytes, files: Mapping[str, Path], *, actor: str) -> None:
        """Take it in. Raises BadFirmware, Unsigned, TooLarge, Conflict, StorageFull, Rejected."""
        read = read_manifest(manifest)
        contents: dict[str, Bytes] = {**await self._held(read)}
        contents |= {sha256: _Local(path) for sha256, path in files.items()}
        if signatures:
            laid = [(file, await _crc32(contents[file.sha256], file.size)) for file in read.files]
            bundle = BundleContent(manifest, signatures, laid, contents)
            offered = Offered(_pieces(bundle, bundle.size), notes="")
        else:
            image = next((file for file in read.files if file.path == IMAGE), None)
            if image is None:
                raise Rejected("Head office has an app that nobody signed.")
            pieces = _pieces(contents[image.sha256], image.size)
            offered = Offered(pieces, target=read.target, chip=read.chip, version=read.version, exact=True)
        taken, _ = await self._artifacts.add(offered, actor=actor)
        if taken.manifest != manifest:
            raise Rejected("What head office says of this firmware is not what the file says.")

    async def _held(self, manifest: Manifest) -> dict[str, Bytes]:
        """Those of its files that some other artifact brought here, whole."""
        wanted = {file.sha256 for file in manifest.files}
        found: dict[str, Bytes] = {}
        for artifact in self._artifacts.all():
            for file in artifact.files:
                if file.sha256 in wanted and file.sha256 not in found:
                    try:
                        found[file.sha256] = await self._artifacts.open(artifact.id, file.sha256)
                    except StorageDamaged:
                        continue  # it is fetched anew
        return found


class _Local(msgspec.Struct, frozen=True):
    """A file on the disk."""

    path: Path

    async def read(self, start: int, count: int) -> bytes:
        """Bytes of it. Raises StorageError."""
        return await asyncio.to_thread(self._read, start, count)

    def _read(self, start: int, count: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                data = file.read(count)
        except OSError as error:
            raise StorageError(f"What was fetched cannot be read: {error.strerror}.") from error
        if len(data) != count:
            raise StorageError("What was fetched is shorter than it was.")
        return data


async def _pieces(content: Bytes, size: int) -> AsyncIterator[bytes]:
    at = 0
    while at < size:
        piece = await content.read(at, min(PIECE_BYTES, size - at))
        at += len(piece)
        yield piece


async def _crc32(content: Bytes, size: int) -> int:
    crc = 0
    async for piece in _pieces(content, size):
        crc = zlib.crc32(piece, crc)
    return crc
