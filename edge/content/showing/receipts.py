"""What each panel shows since when, and by which evidence: kept, so that it is known after a restart too.

A device says what it shows again whenever it has started. That is one showing, not two: only another picture, or
better evidence of the same, is written down. Of pictures that this hub does not know the last one is kept: whatever
a device says, it does not wash out what is known.
"""

from __future__ import annotations

import asyncio

import msgspec

from edge.clock import Clock
from edge.content.showing import store as sql
from edge.content.showing.store import Receipt
from edge.store.boots import unset
from edge.store.database import Database

TOLD, FETCHED = "told", "fetched"


class Receipts:
    """The last of every device in memory, the last 200 on disk."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock
        self._last: dict[str, Receipt] = {}
        self._turn = asyncio.Lock()  # one at a time: a device whose answer was lost says the same twice at once

    async def start(self) -> None:
        """Load what each shows."""
        for row in await self._db.read(sql.LAST):
            receipt = sql.receipt_of(tuple(row))
            self._last[receipt.device] = receipt

    def of(self, device_id: str) -> Receipt | None:
        """What a device shows, as far as is known."""
        return self._last.get(device_id)

    async def had(self, device_id: str, picture: str) -> bool:
        """Whether a device has shown this picture, as far back as is kept."""
        return bool(await self._db.read(sql.HAD, (device_id, picture)))

    async def take(
        self, device_id: str, picture: str, screen: str, version: int, evidence: str, *, shown_ms: int = 0
    ) -> bool:
        """A device shows this, for `shown_ms` already; on disk when this returns. Whether it was news."""
        async with self._turn:
            last = self._last.get(device_id)
            if last is not None and last.picture == picture:
                return await self._better(last, evidence)
            now = self._clock.now()
            receipt = Receipt(
                device=device_id,
                picture=picture,
                screen=screen,
                version=version,
                evidence=evidence,
                at_us=max(0, now.at_us - shown_ms * 1000),
                at_clock=unset(now),
            )
            if last is not None and _is_unknown(last) and _is_unknown(receipt):
                was = last.number
                number = await self._db.write(lambda tx: sql.instead(tx, was, receipt))
            else:
                number = await self._db.write(lambda tx: sql.add(tx, receipt))
            self._last[device_id] = msgspec.structs.replace(receipt, number=number)
            return True

    async def page(self, device_id: str, before: int, limit: int) -> list[Receipt]:
        """Newest first, those with a number below `before`; of all devices where `device_id` is ''."""
        values: dict[str, str | int] = {"device": device_id, "before": before, "limit": limit}
        return [sql.receipt_of(tuple(row)) for row in await self._db.read(sql.PAGE, values)]

    async def forget(self, device_id: str) -> None:
        """It is nobody's panel any more."""
        async with self._turn:
            await self._db.write(lambda tx: sql.forget(tx, device_id))
            self._last.pop(device_id, None)

    async def _better(self, last: Receipt, evidence: str) -> bool:
        if last.evidence == evidence or evidence != TOLD:
            return False
        await self._db.write(lambda tx: sql.told(tx, last.number, evidence))
        self._last[last.device] = msgspec.structs.replace(last, evidence=evidence)
        return True


def _is_unknown(receipt: Receipt) -> bool:
    return bool(receipt.picture) and not receipt.screen
