"""Reading very many rows without holding anybody up: a connection and thread of one's own, rows as plain tuples."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edge.errors import StorageError
from edge.store.connection import RawConnection, open_bulk_reader

T = TypeVar("T")
Raw = sqlite3.Connection
"""What work is given to read with."""


class BulkReader:
    """A read-only connection to one database file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: RawConnection | None = None

    async def open(self) -> None:
        """Open it; the file is there."""
        self._connection = await open_bulk_reader(self._path)

    async def close(self) -> None:
        """Close it, if it is open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def read(self, work: Callable[[Raw], T]) -> T:
        """Run `work` on the reader's thread. Raises StorageError."""
        if self._connection is None:
            raise StorageError(f"{self._path.name} is not open for reading.")
        try:
            return await self._connection.run(work)
        except sqlite3.Error as error:
            raise StorageError(f"{self._path.name} cannot be read: {error}.") from error
