"""What people are told: kept, bounded, until they have read it, and told on the bus."""

from __future__ import annotations

import secrets

from edge.automation.notices import store as sql
from edge.automation.notices.store import Notice
from edge.bus import Event
from edge.errors import NotFound
from edge.store.database import Database
from edge.store.transaction import Transaction

NUMBER_MAX = 2**62


class NoticeMade(Event, frozen=True, kw_only=True):
    """Somebody has something to read."""

    notice: Notice


class Notices:
    """Every notice."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def note(
        self,
        tx: Transaction,
        owner: str,
        *,
        type: str,
        title: str,
        message: str,
        details: str = "",
        device_id: str = "",
        widget_id: str = "",
    ) -> Notice:
        """Tell `owner` something, within a caller's transaction."""
        new = Notice(
            id=secrets.token_hex(12),
            owner=owner,
            at_us=tx.stamp.at_us,
            type=type,
            title=title,
            message=message,
            details=details,
            device_id=device_id,
            widget_id=widget_id,
        )
        sql.insert(tx, new)
        tx.tell(NoticeMade(notice=new))
        return new

    async def tell(self, owner: str, *, type: str, title: str, message: str, device_id: str = "") -> Notice:
        """Tell `owner` something."""
        return await self._db.write(
            lambda tx: self.note(tx, owner, type=type, title=title, message=message, device_id=device_id)
        )

    async def of(self, owner: str, limit: int) -> list[Notice]:
        """An owner's newest, newest first."""
        return [sql.notice(tuple(row)) for row in await self._db.read(sql.PAGE, (owner, limit))]

    async def everybodys(self, before: int | None, limit: int) -> tuple[list[Notice], int | None]:
        """All, newest first, behind number `before`; and behind which number the next page goes on."""
        rows = await self._db.read(sql.EVERYBODYS, (before or NUMBER_MAX, limit))
        return [sql.notice(tuple(row)) for row in rows], rows[-1][10] if len(rows) == limit else None

    async def last_of_devices(self, *types: str) -> dict[str, str]:
        """Which of two types of notice each device got last."""
        return {row[0]: row[1] for row in await self._db.read(sql.LAST_OF_DEVICES, types)}

    async def read(self, owner: str, notice_id: str) -> None:
        """It has been read. Raises NotFound."""
        if not await self._db.write(lambda tx: sql.mark_read(tx, owner, notice_id)):
            raise NotFound("Notification not found")

    async def read_all(self, owner: str) -> int:
        """All have been read; returns how many there are."""
        return await self._db.write(lambda tx: sql.mark_read(tx, owner, None))

    async def delete(self, owner: str, notice_id: str) -> None:
        """Remove it. Raises NotFound."""
        if not await self._db.write(lambda tx: sql.delete(tx, owner, notice_id)):
            raise NotFound("Notification not found")
