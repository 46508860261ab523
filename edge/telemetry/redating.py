"""When the clock has been set: the readings of this boot move to where they belong in history and rollups."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from zoneinfo import ZoneInfo

from edge.errors import StorageError
from edge.store.database import Store
from edge.telemetry import redating_store as sql

log = logging.getLogger(__name__)

TRY_AGAIN_S = 10.0  # a full disk does not empty in a second


class Redating:
    """Moves readings a slice at a time, behind everything else that is written. A restart goes on where it was."""

    def __init__(self, store: Store, zone: ZoneInfo) -> None:
        self._boots, self._db, self._zone = store.boots, store.readings, zone
        self._due = asyncio.Event()
        self._told: Callable[[], None] = lambda: None
        store.boots.on_fixed(lambda boot_id, began_us: self._due.set())

    def tell(self, told: Callable[[], None]) -> None:
        """Call `told` whenever all readings are where they belong again."""
        self._told = told

    async def start(self) -> None:
        """Take over what the ledger's file knows: it may have got there before a power cut, alone."""
        await self._note()
        self._due.set()

    async def run(self) -> None:
        """Move what is to be moved, until cancelled; a full disk is waited out."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self.move()
            except StorageError:
                log.warning("readings could not be put in their right place; it is tried again", exc_info=True)
                self._due.set()
                await asyncio.sleep(TRY_AGAIN_S)

    async def move(self) -> None:
        """Move all there is to be moved."""
        await self._note()
        while await self._db.write(lambda tx: sql.move(tx, self._zone)):
            pass
        self._told()

    async def _note(self) -> None:
        known = self._boots.known()
        await self._db.write(lambda tx: sql.note(tx, known))
