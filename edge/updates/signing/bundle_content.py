"""A bundle that lies nowhere as one file: what stands between its files is made anew, and they are read where they
lie."""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol

from edge.updates.signing.bundles import layout, members
from edge.wire.firmware import File


class Bytes(Protocol):
    """A file's content."""

    async def read(self, start: int, count: int) -> bytes:
        """So many bytes from `start` on; all of them are there."""


class BundleContent:
    """All of it, to be read from anywhere. `files` with their CRC-32, in the manifest's order; `contents` by the
    files' hashes."""

    def __init__(
        self,
        manifest: bytes,
        signatures: bytes,
        files: Sequence[tuple[File, int]],
        contents: Mapping[str, Bytes],
    ) -> None:
        self._laid: list[bytes | Bytes] = []
        self._ends: list[int] = []
        end = 0
        for piece in layout(members(manifest, signatures, files)):
            end += len(piece) if isinstance(piece, bytes) else piece.size
            self._laid.append(piece if isinstance(piece, bytes) else contents[piece.sha256])
            self._ends.append(end)
        self.size = end
        self.etag = hashlib.sha256(manifest + signatures).hexdigest()

    async def read(self, start: int, count: int) -> bytes:
        """So many bytes from `start` on, which it has. Raises what the contents do."""
        found, number = b"", bisect.bisect_right(self._ends, start)
        while len(found) < count:
            piece, begin = self._laid[number], self._ends[number - 1] if number else 0
            at = start + len(found) - begin
            want = min(count - len(found), self._ends[number] - begin - at)
            if want:
                found += piece[at : at + want] if isinstance(piece, bytes) else await piece.read(at, want)
            number += 1
        return found
