"""The bytes of files in the database: taken in from a file and given out again a piece at a time.

A blob comes in by many short transactions, so that on SQLite nobody waits long behind it. Until an artifact or a
picture has it, it is of no use to anybody; one that none has a day later was given up by whoever brought it, and is
let go of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.blobs import blob_store as sql
from cloud.blobs.blob_store import PIECE_BYTES
from cloud.db.database import Database
from edge.clock import Clock
from edge.errors import NotFound, StorageDamaged, StorageFull

PIECES = 4  # in one transaction
UNUSED_US = 86_400 * 1_000_000
SWEEP = 100  # files in one transaction


class Blobs:
    """Those of all tenants; each has its own copy."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    async def reserve(
        self, connection: AsyncConnection, tenant_id: int, files: Mapping[str, int], most_bytes: int
    ) -> None:
        """Count these files, sizes by hash, among what a tenant has, before a byte of them is kept. The tenant is
        locked, so no two uploads take the same room. Raises StorageFull."""
        new = set(files) - await sql.known(connection, tenant_id, files)
        kept = await sql.bytes_kept(connection, tenant_id)
        if new and kept + sum(files[sha256] for sha256 in new) > most_bytes:
            raise StorageFull(
                f"All firmware and pictures of a tenant may come to {most_bytes // 1024**2} MB.",
                hint="Remove what nobody needs any more: old firmware, pictures that nothing shows.",
            )
        for sha256, size in sorted(files.items()):
            await sql.begin(connection, tenant_id, sha256, size, self._clock.now().at_us)

    async def let_go(self, tenant_id: int, named: Iterable[str]) -> None:
        """Let go at once of those of these files that nothing has: they count. Raises StorageError."""
        files = [(tenant_id, sha256) for sha256 in sorted(set(named))]
        async with self._db.write() as connection:
            await sql.sweep(connection, files, self._clock.now().at_us + 1)

    async def keep(self, tenant_id: int, sha256: str, size: int, source: BinaryIO, at: int) -> None:
        """Keep `size` bytes of a file, from byte `at` on; whoever calls knows that this is their hash. What is here
        already is not read again. Raises StorageError."""
        async with self._db.write() as connection:
            if await sql.begin(connection, tenant_id, sha256, size, self._clock.now().at_us):
                return
        number, left = 0, size
        while left:
            pieces = await asyncio.to_thread(_read, source, at + size - left, left, number)
            async with self._db.write() as connection:
                await sql.put(connection, tenant_id, sha256, pieces)
            number += len(pieces)
            left -= sum(len(data) for _, data in pieces)
        async with self._db.write() as connection:
            await sql.finish(connection, tenant_id, sha256)

    async def piece(self, tenant_id: int, sha256: str, number: int) -> bytes:
        """A piece of a file; no connection is held between two of them. Raises NotFound for a file that was let go
        of meanwhile, StorageError."""
        async with self._db.read() as connection:
            data = await sql.piece(connection, tenant_id, sha256, number)
        if data is None:
            raise NotFound("This file is here no more.")
        return data

    async def sweep(self) -> int:
        """Let go of what nothing has; how many files."""
        before_us, gone = self._clock.now().at_us - UNUSED_US, 0
        while True:
            async with self._db.read() as connection:
                unused = await sql.unused(connection, before_us, SWEEP)
            if not unused:
                return gone
            async with self._db.write() as connection:
                swept = await sql.sweep(connection, unused, before_us)
            gone += swept
            if not swept:
                return gone


def _read(source: BinaryIO, at: int, left: int, number: int) -> list[tuple[int, bytes]]:
    """The next pieces, with their numbers. Raises StorageDamaged for a file that ends too early."""
    source.seek(at)
    pieces: list[tuple[int, bytes]] = []
    while left and len(pieces) < PIECES:
        data = source.read(min(PIECE_BYTES, left))
        if len(data) != min(PIECE_BYTES, left):
            raise StorageDamaged("The file that was sent is shorter than it was.")
        pieces.append((number + len(pieces), data))
        left -= len(data)
    return pieces
