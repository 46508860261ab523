"""Commands gone by: read from the database, never from memory."""

from __future__ import annotations

from collections.abc import Sequence

from edge.clock import iso
from edge.commands import store as sql
from edge.commands.model import Command
from edge.store.database import Database
from edge.wire.views import AttemptView


class History:
    """Pages of commands, and their attempts."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def page(
        self, *, device_id: str = "", states: Sequence[str] = (), before: int | None = None, limit: int
    ) -> list[Command]:
        """Newest first, those accepted before number `before`."""
        query, values = sql.page_query(device_id, states, before, limit)
        return [sql.command(row) for row in await self._db.read(query, values)]

    async def attempts(self, command_id: str) -> list[AttemptView]:
        """Each try at a command, in order."""
        return [
            AttemptView(
                attempt=row[0],
                link=row[1],
                at=iso(self._db.boots.when(row[2], row[6])),
                verdict=row[3],
                reason=row[4],
                duration_s=row[5],
            )
            for row in await self._db.read(sql.ATTEMPTS, (command_id,))
        ]

    async def last_shown(self) -> list[Command]:
        """Per display, the last command that is known to have changed its screen."""
        return [sql.command(row) for row in await self._db.read(sql.LAST_SHOWN)]
