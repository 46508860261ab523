"""The bytes of files as they are handed out, read from the database a piece at a time."""

from __future__ import annotations

from cloud.blobs.blob_store import PIECE_BYTES
from cloud.blobs.blobs import Blobs
from edge.errors import StorageDamaged


class BlobContent:
    """A file: see edge/serving/downloads.py, Content. It holds the piece that it read last, and nothing else."""

    def __init__(self, blobs: Blobs, tenant_id: int, sha256: str, size: int) -> None:
        self._blobs, self._tenant_id = blobs, tenant_id
        self.size, self.etag = size, sha256
        self._held: tuple[int, bytes] = -1, b""

    async def read(self, start: int, count: int) -> bytes:
        """So many bytes from `start` on. Raises NotFound, StorageDamaged, StorageError."""
        found = b""
        while len(found) < count:
            number, within = divmod(start + len(found), PIECE_BYTES)
            if self._held[0] != number:
                self._held = number, await self._blobs.piece(self._tenant_id, self.etag, number)
            more = self._held[1][within : within + count - len(found)]
            if not more:
                raise StorageDamaged("A file is shorter in the database than it was.")
            found += more
        return found


class Whole:
    """A few bytes that are at hand."""

    def __init__(self, data: bytes, etag: str) -> None:
        self._data, self.size, self.etag = data, len(data), etag

    async def read(self, start: int, count: int) -> bytes:
        """So many bytes from `start` on."""
        return self._data[start : start + count]
