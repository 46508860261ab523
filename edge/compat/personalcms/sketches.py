"""What an older board says of the image it runs, so that it is not given the same again.

It tells the MD5 of its sketch, which ends where the image does: what a file has behind that (empty flash,
signatures) is no part of it. It also tells the image's own SHA-256, which stands at its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io

import msgspec

from edge.errors import BadFirmware, NotFound, StorageDamaged
from edge.updates.artifacts.artifacts import Artifacts
from edge.updates.artifacts.model import Artifact
from edge.updates.images.image import read_image
from edge.wire.firmware import Kind

PIECE = 256 * 1024
_HASH_BYTES = 32


class Sketch(msgspec.Struct, frozen=True):
    """By what a board may name an image that it runs."""

    md5s: frozenset[str]
    sha256: str  # '' where the image has none


class Sketches:
    """Of the firmware that is held, worked out when it is first needed."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._known: dict[str, Sketch] = {}

    async def of(self, artifact: Artifact) -> Sketch:
        """Of one image. Raises NotFound, StorageDamaged."""
        if artifact.id not in self._known:
            blob = await self._artifacts.open(artifact.id, artifact.sha256)
            data = b"".join([await blob.read(at, min(PIECE, blob.size - at)) for at in range(0, blob.size, PIECE)])
            self._known[artifact.id] = await asyncio.to_thread(_sketch, data, artifact.md5)
        return self._known[artifact.id]

    async def is_running(self, artifact: Artifact, md5: str, sha256: str) -> bool:
        """Whether a board that says this of its sketch runs this image. Raises NotFound, StorageDamaged."""
        sketch = await self.of(artifact)
        return md5 in sketch.md5s or bool(sha256 and sha256 == sketch.sha256)

    async def running(self, md5: str, sha256: str, asked: Artifact | None) -> Artifact | None:
        """Which of the images that are held a board runs: the one it asks for, where two are alike."""
        held = [one for one in self._artifacts.all() if one.kind is Kind.ESP_IMAGE and one.legacy_only]
        for one in sorted(held, key=lambda one: one is not asked):
            with contextlib.suppress(NotFound, StorageDamaged):  # removed just now, or told already
                if await self.is_running(one, md5, sha256):
                    return one
        return None


def _sketch(data: bytes, md5: str) -> Sketch:
    try:
        image = read_image(io.BytesIO(data), len(data))
    except BadFirmware:  # it was looked at when it came
        return Sketch(frozenset({md5}), "")
    own = data[: image.size]
    shorter = hashlib.md5(own, usedforsecurity=False).hexdigest()
    return Sketch(frozenset({md5, shorter}), own[-_HASH_BYTES:].hex() if image.hashed else "")
