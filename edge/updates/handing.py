"""What the doors of devices with our firmware ask: the standing offer, pieces of it, and how far a device is.

A device gets what it is offered and nothing else. Its pieces are small and many, so each takes a turn of its own
among all downloads, and where the line is behind the device is told at once to ask again: it waits for an answer
for ten seconds only.
"""

from __future__ import annotations

import hashlib

from edge.commands.field_line import Piece
from edge.errors import Crowded, NotFound
from edge.serving.downloads import Downloads
from edge.updates.artifacts.artifacts import Artifacts
from edge.updates.offers.offers import Offers
from edge.wire.native import Running
from edge.wire.updates import Heard, Offer, Told

BEHIND_S = 5.0  # half of what a device waits for an answer


class Handing:
    """One way for the network and for cables."""

    def __init__(self, offers: Offers, artifacts: Artifacts, downloads: Downloads) -> None:
        self._offers, self._artifacts, self._downloads = offers, artifacts, downloads

    def offer(self, device_id: str) -> Offer | None:
        """What stands for this device now."""
        return self._offers.for_device(device_id)

    async def piece(self, device_id: str, artifact: str, what: str, start: int, most: int) -> Piece:
        """At most so many bytes of what it is offered: `what` is `manifest`, `signatures` or a file's SHA-256.

        Raises NotFound for what it is not offered, or not any more, Crowded when others are served first.
        """
        offer = self._offers.for_device(device_id)
        if offer is None or offer.artifact != artifact:
            raise NotFound("This device is not offered that, or not any more.")
        if what == "manifest":
            return _piece(self._artifacts.manifest_bytes(artifact), start, most)
        if what == "signatures":
            return _piece(self._artifacts.signature_bytes(artifact), start, most)
        behind_s = self._downloads.behind_s
        if behind_s > BEHIND_S:
            raise Crowded("Other downloads are served first.", retry_after_s=behind_s)
        async with self._downloads.turn():
            blob = await self._artifacts.open(artifact, what)
            data = await blob.read(start, min(most, blob.size - start)) if start < blob.size else b""
            await self._downloads.pace(len(data))
        return Piece(data=data, total=blob.size, sha256=what)

    async def tell(self, device_id: str, told: Told) -> Heard:
        """A device says how far it is; on disk when this returns."""
        return await self._offers.tell(device_id, told)

    async def runs(self, device_id: str, running: Running) -> None:
        """A device says, with its hello, what it runs."""
        await self._offers.runs(device_id, running)

    def reported(self, device_id: str) -> None:
        """A device has said how it fares."""
        self._offers.reported(device_id)


def _piece(whole: bytes, start: int, most: int) -> Piece:
    return Piece(data=whole[start : start + most], total=len(whole), sha256=hashlib.sha256(whole).hexdigest())
